"""Encoders of ai.onnx.ml whose keys and values are numbers."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import numpy_helper

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_writer import NodeWriter
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.standard import CLASSICAL

TEXTS = "its keys or values are texts; a statement holds numbers"
ENCODED = "encode texts before the model, and give it the numbers"


def _encoder(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    """default + sum over keys of [x = key] (value - default)."""
    writer = NodeWriter(node, scope)
    keys, whole_keys = _numbers(writer, "keys")
    values, whole_values = _numbers(writer, "values")
    if len(keys) != len(values):
        raise UnsupportedNodeError(f"it has {len(keys)} keys and {len(values)} values")
    default = float(
        writer.attributes.get("default_int64" if whole_values else "default_float", -whole_values)
    )
    if "default_tensor" in writer.attributes:
        default = float(numpy_helper.to_array(writer.attributes["default_tensor"]).item())
    make = writer.integers if whole_keys else writer.numbers
    same = writer.floats(writer.add("Equal", writer.with_axis(node.input[0]), make(keys)))
    column = np.array(values, dtype=np.float64)[:, None] - default
    encoded = writer.without_axis(writer.affine(same, column, default))
    writer.result(writer.cast(encoded, onnx.TensorProto.INT64) if whole_values else encoded)
    return writer.nodes


def _numbers(writer: NodeWriter, role: str) -> tuple[Sequence[float], bool]:
    """Keys or values, and whether they are integers. Raises UnsupportedNodeError for texts."""
    tensor = writer.attributes.get(f"{role}_tensor")
    if tensor is not None:
        array = numpy_helper.to_array(tensor)
        if array.dtype.kind in "if":
            return array.ravel().tolist(), array.dtype.kind == "i"
    for kind in ("int64s", "floats"):
        if writer.attributes.get(f"{role}_{kind}"):
            return writer.attributes[f"{role}_{kind}"], kind == "int64s"
    raise UnsupportedNodeError(TEXTS, "keys and values that are numbers", ENCODED)


EXPANSIONS = (Expansion("LabelEncoder", "of numbers, to numbers", _encoder, CLASSICAL),)
