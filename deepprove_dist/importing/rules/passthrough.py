"""Operators that leave values as they are: Identity, Dropout in inference, Cast between float types."""

import onnx

from deepprove_dist.importing.builder import FLOAT_TYPES, GraphBuilder, OnnxNode, UnsupportedNodeError
from deepprove_dist.importing.rule import Rule

# Casting to one of these loses nothing that survives quantisation; casting to float16 does.
EXACT_TARGETS = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)


def _identity(node: OnnxNode, graph: GraphBuilder) -> None:
    graph.alias(node.outputs[0], node.input(0))


def _dropout(node: OnnxNode, graph: GraphBuilder) -> None:
    if node.input(2):
        training = graph.constant(node.input(2))
        if training is None or training.any():
            raise UnsupportedNodeError("training_mode is not constantly false")
    _identity(node, graph)


def _cast(node: OnnxNode, graph: GraphBuilder) -> None:
    source, target = graph.type(node.input(0)), node.attributes["to"]
    if source not in FLOAT_TYPES or (target != source and target not in EXACT_TARGETS):
        names = [onnx.TensorProto.DataType.Name(kind) for kind in (source, target)]
        raise UnsupportedNodeError(f"it casts {names[0]} to {names[1]}")
    _identity(node, graph)


RULES = (
    Rule("Identity", frozenset(), "Identity of a computed tensor", _identity),
    Rule("Dropout", frozenset({"ratio", "seed"}), "Dropout in inference mode, without its mask", _dropout),
    Rule(
        "Cast",
        frozenset({"to", "saturate", "round_mode"}),
        "Cast from a float type to float or double",
        _cast,
    ),
)
