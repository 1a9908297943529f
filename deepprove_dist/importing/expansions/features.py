"""What prepares features for models of ai.onnx.ml: scaling, choice, and replacement of values."""

import math

import numpy as np
import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_writer import NodeWriter
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.standard import CLASSICAL

# The order of the norms that Normalizer has a name for.
NORMS = {"L1": 1, "L2": 2}
# The first opset in which ReduceMax takes its axes as an input.
AXES_AS_INPUT = 18


def _scaler(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    """(x - offset) * scale, as x * scale - offset * scale."""
    writer = NodeWriter(node, scope)
    scale = np.array(writer.attributes.get("scale") or [1.0])
    offset = np.array(writer.attributes.get("offset") or [0.0])
    scaled = writer.add("Mul", writer.floats(node.input[0]), writer.numbers(scale))
    writer.result(writer.add("Sub", scaled, writer.numbers(offset * scale)))
    return writer.nodes


def _normalizer(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    writer = NodeWriter(node, scope)
    norm = writer.attributes.get("norm", b"MAX").decode()
    values = writer.floats(node.input[0])
    if norm in NORMS:
        writer.result(writer.add("LpNormalization", values, axis=-1, p=NORMS[norm]))
        return writer.nodes
    if norm != "MAX":
        raise UnsupportedNodeError(f"its norm is {norm}", "the norms MAX, L1 and L2")
    if scope.opset >= AXES_AS_INPUT:
        largest = writer.add("ReduceMax", values, writer.integers([-1]), keepdims=1)
    else:
        largest = writer.add("ReduceMax", values, axes=[-1], keepdims=1)
    writer.result(writer.add("Div", values, largest))
    return writer.nodes


def _imputer(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    """A value that is replaced; NaN is in no input, and what replaces it is never seen."""
    writer = NodeWriter(node, scope)
    floats = writer.attributes.get("imputed_value_floats")
    kind = "float" if floats else "int64"
    replaced = writer.attributes.get(f"replaced_value_{kind}", 0)
    if math.isnan(replaced):
        writer.result(node.input[0])
        return writer.nodes
    make = writer.numbers if floats else writer.integers
    imputed = make(floats or writer.attributes["imputed_value_int64s"])
    missing = writer.add("Equal", node.input[0], make([replaced]))
    writer.result(writer.add("Where", missing, imputed, node.input[0]))
    return writer.nodes


def _binarizer(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    writer = NodeWriter(node, scope)
    threshold = writer.numbers([writer.attributes.get("threshold", 0.0)])
    writer.result(writer.floats(writer.add("Greater", writer.floats(node.input[0]), threshold)))
    return writer.nodes


def _vectorizer(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    writer = NodeWriter(node, scope)
    sizes = list(writer.attributes.get("inputdimensions", ()))
    widths = [writer.width(name) for name in node.input]
    if sizes and sizes != widths:
        raise UnsupportedNodeError(f"its inputdimensions are {sizes}, and its inputs have {widths} columns")
    writer.result(writer.add("Concat", *map(writer.floats, node.input), axis=1))
    return writer.nodes


def _extractor(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    """The columns at some indices; of a vector a row of them."""
    writer = NodeWriter(node, scope)
    values, indices = node.input
    known = scope.known.get(values)
    rank = len(scope.shapes[values] if known is None else known.shape)
    flat = writer.add("Reshape", indices, writer.integers([-1]))
    columns = writer.add("Gather", values, flat, axis=rank - 1)
    writer.result(writer.add("Reshape", columns, writer.integers([1, -1])) if rank == 1 else columns)
    return writer.nodes


def _one_hot(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    writer = NodeWriter(node, scope)
    categories = writer.attributes.get("cats_int64s")
    if not categories:
        raise UnsupportedNodeError("its categories are texts", "categories that are integers")
    column = writer.with_axis(node.input[0])
    same = writer.add("Equal", writer.cast(column, onnx.TensorProto.INT64), writer.integers(categories))
    writer.result(writer.floats(same))
    return writer.nodes


EXPANSIONS = (
    Expansion("Scaler", "of numbers", _scaler, CLASSICAL),
    Expansion("Normalizer", "of rows, by any norm", _normalizer, CLASSICAL),
    Expansion("Imputer", "of numbers", _imputer, CLASSICAL),
    Expansion("Binarizer", "of numbers", _binarizer, CLASSICAL),
    Expansion("FeatureVectorizer", "of matrices, all of whose columns it takes", _vectorizer, CLASSICAL),
    Expansion("ArrayFeatureExtractor", "of numbers", _extractor, CLASSICAL),
    Expansion("OneHotEncoder", "of integers", _one_hot, CLASSICAL),
)
