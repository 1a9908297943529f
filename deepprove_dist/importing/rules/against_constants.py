"""Comparisons of the model's inputs, or of decisions before, with constants: thresholds of their own.

An affine part of the model between them goes into the rows that are compared. So no rounding of it turns a
decision. Trees as tensor operations look so: features are chosen and compared, and decisions are summed.
"""

from math import prod

import numpy as np

from deepprove_dist.importing.rewriting.affine_source import affine_source, find_sources
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.importing.rewriting.standard import TRUTH_TYPES
from deepprove_dist.operators.decisions import FloatDecisions
from deepprove_dist.operators.reshape import FloatReshape

# Of the matrix that is compared.
MOST_ELEMENTS = 2**24


def _rewrite(sign: float, *, strict: bool) -> Rewrite:
    """``sign`` is 1 for what asks whether the left operand is the larger one."""

    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str | None:
        constants = [graph.is_constant(name) for name in node.inputs]
        if not any(constants) or all(constants):
            return None
        index = constants.index(True)
        tensor, name = graph.tensor(node.input(1 - index)), node.input(index)
        values = graph.numbers(name, "an operand", infinite=True)
        shape, target = graph.shape(tensor), graph.shape(node.output)
        sources = find_sources(graph, tensor)
        size = prod(target) * max(prod(shape), sum(prod(graph.shape(source)) for source in sources))
        if not np.isfinite(values).all() or not 0 < size <= MOST_ELEMENTS:
            return None
        if not all(_is_exact(graph, source) for source in sources):
            return None
        source = affine_source(graph, tensor)
        compared = np.broadcast_to(np.arange(prod(shape)).reshape(shape), target).ravel()
        thresholds = np.broadcast_to(values, target).ravel() - source.shift[compared]
        side = sign if index == 1 else -sign
        rows = source.rows(side * np.eye(prod(shape))[compared])
        decided = graph.add(FloatDecisions, source.tensor, rows, side * thresholds, 1, strict)
        return graph.add(FloatReshape, decided, target)

    return rewrite


def _is_exact(graph: GraphBuilder, tensor: str) -> bool:
    """Whether a tensor is an input of the model, or a decision."""
    node = graph.producer(tensor)
    return node is None or node.has_thresholds


RULES = tuple(
    Rule(
        operator,
        "of inputs or decisions and a constant, exactly",
        _rewrite(sign, strict=strict),
        types=TRUTH_TYPES,
        since=since,
    )
    for operator, sign, strict, since in (
        ("Less", -1.0, True, 7),
        ("LessOrEqual", -1.0, False, 12),
        ("Greater", 1.0, True, 7),
        ("GreaterOrEqual", 1.0, False, 12),
    )
)
