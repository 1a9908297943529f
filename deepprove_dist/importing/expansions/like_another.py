"""Constants that take type or shape from a computed tensor: CastLike of a constant, EyeLike; and BitCast."""

import numpy as np
import onnx
from onnx import helper

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.standard import whole_range


def _cast_like(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    if new.value(new.input(0)) is None:
        return None
    attributes = {name: value for name, value in new.attributes.items() if name != "to"}
    return new.finished(new.add("Cast", new.input(0), to=new.kind(new.input(1)), **attributes))


def _eye_like(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    rows, columns = new.shape(new.input(0))
    kind = new.attributes.get("dtype", new.kind(new.input(0)))
    values = np.eye(rows, columns, new.attributes.get("k", 0), helper.tensor_dtype_to_np_dtype(kind))
    return new.finished(scope.constant(f"{node.name}/constant", values))


def _bit_cast(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """Of integers of one width it is a cast, which wraps in the same way."""
    new = NodeReplacement(node, scope)
    kinds = new.kind(new.input(0)), new.attributes["to"]
    if any(whole_range(kind) is None for kind in kinds):
        return None
    return new.finished(new.add("Cast", new.input(0), to=kinds[1]))


EXPANSIONS = (
    Expansion("BitCast", "between integers", _bit_cast),
    Expansion("CastLike", "of a constant", _cast_like),
    Expansion("EyeLike", "of a tensor whose shape is known before the model runs", _eye_like),
)
