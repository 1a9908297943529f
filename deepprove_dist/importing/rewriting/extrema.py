"""The largest and the smallest of tensors of one shape, element by element."""

from collections.abc import Sequence
from functools import reduce

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.operators.maximum_of_two import FloatMaximum
from deepprove_dist.operators.pointwise import IDENTITY


def largest(graph: GraphBuilder, tensors: Sequence[str]) -> str:
    """The maximum of tensors."""
    return reduce(lambda first, second: graph.add(FloatMaximum, (first, second)), tensors)


def smallest(graph: GraphBuilder, tensors: Sequence[str]) -> str:
    """min(x, y) = -max(-x, -y)."""
    if len(tensors) == 1:
        return tensors[0]
    negated = [apply(graph, tensor, IDENTITY * -1) for tensor in tensors]
    return apply(graph, largest(graph, negated), IDENTITY * -1)
