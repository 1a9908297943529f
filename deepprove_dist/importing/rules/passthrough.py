"""Operators that leave values as they are: Identity, Dropout in inference, Cast between float types."""

import onnx

from deepprove_dist.importing.builder import FLOAT_TYPES, GraphBuilder, OnnxNode
from deepprove_dist.importing.reasons import AFTER_EVAL, UnsupportedNodeError, unknown
from deepprove_dist.importing.rule import Rule


def _identity(node: OnnxNode, graph: GraphBuilder) -> None:
    graph.alias(node.outputs[0], node.input(0))


def _dropout(node: OnnxNode, graph: GraphBuilder) -> None:
    if node.input(2):
        training = graph.constant(node.input(2))
        if training is None or training.any():
            raise UnsupportedNodeError("its training_mode is not constantly false", advice=AFTER_EVAL)
    _identity(node, graph)


def _cast(node: OnnxNode, graph: GraphBuilder) -> None:
    source, target = graph.type(node.input(0)), node.attributes["to"]
    if source == onnx.TensorProto.UNDEFINED:
        raise unknown(f"the type of '{node.input(0)}'")
    # Even float16 keeps 11 bits, which is about what quantisation keeps.
    if source not in FLOAT_TYPES or target not in FLOAT_TYPES:
        names = [onnx.TensorProto.DataType.Name(kind) for kind in (source, target)]
        raise UnsupportedNodeError(f"it casts {names[0]} to {names[1]}")
    _identity(node, graph)


RULES = (
    Rule("Identity", frozenset(), "Identity of a computed tensor", _identity),
    Rule("Dropout", frozenset({"ratio", "seed"}), "Dropout in inference mode, without its mask", _dropout),
    Rule(
        "Cast",
        frozenset({"to", "saturate", "round_mode"}),
        "Cast between float16, float32 and float64",
        _cast,
    ),
)
