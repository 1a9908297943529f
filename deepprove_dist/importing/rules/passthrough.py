"""Operators that leave values as they are: Identity, Dropout in inference, Cast between float types."""

import onnx

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import AFTER_EVAL, UnsupportedNodeError, unknown
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import FLOAT_TYPES, type_name


def _identity(node: OnnxNode, graph: GraphBuilder) -> str:
    return graph.tensor(node.input(0))


def _dropout(node: OnnxNode, graph: GraphBuilder) -> str:
    if node.input(2):
        training = graph.constant(node.input(2))
        if training is None or training.any():
            raise UnsupportedNodeError("its training_mode is not constantly false", advice=AFTER_EVAL)
    return _identity(node, graph)


def _cast(node: OnnxNode, graph: GraphBuilder) -> str:
    source, target = graph.type(node.input(0)), node.attributes["to"]
    if source == onnx.TensorProto.UNDEFINED:
        raise unknown(f"the type of '{node.input(0)}'")
    # Even float16 keeps 11 bits, which is about what quantisation keeps.
    if source not in FLOAT_TYPES or target not in FLOAT_TYPES:
        raise UnsupportedNodeError(f"it casts {type_name(source)} to {type_name(target)}")
    return _identity(node, graph)


RULES = (
    Rule("Identity", "of a computed tensor", _identity),
    Rule(
        "Dropout",
        "in inference mode, without its mask",
        _dropout,
        frozenset({"ratio", "seed"}),
        random=True,
    ),
    Rule(
        "Cast",
        "between float16, float32 and float64",
        _cast,
        frozenset({"to", "saturate", "round_mode"}),
    ),
)
