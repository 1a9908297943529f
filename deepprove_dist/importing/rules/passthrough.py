"""Operators that leave values as they are: Identity, and Dropout in inference."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import AFTER_EVAL, UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import MOVED_TYPES


def _identity(node: OnnxNode, graph: GraphBuilder) -> str:
    return graph.tensor(node.input(0))


def _dropout(node: OnnxNode, graph: GraphBuilder) -> str:
    if node.input(2):
        training = graph.constant(node.input(2))
        if training is None or training.any():
            raise UnsupportedNodeError("its training_mode is not constantly false", advice=AFTER_EVAL)
    return _identity(node, graph)


RULES = (
    Rule("Identity", "of a computed tensor", _identity, types=MOVED_TYPES),
    Rule(
        "Dropout",
        "in inference mode, without its mask",
        _dropout,
        frozenset({"ratio", "seed"}),
        random=True,
    ),
)
