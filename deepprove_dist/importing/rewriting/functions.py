"""Chains of elementwise nodes become one function of the tensor they start from.

So an activation that an exporter wrote as several nodes is one table in the integer model. A chain starts
again at a tensor with several readers, unless two branches of it meet: x * sigmoid(x) is one function. The
square root of a sum is no table: it is taken of the sum itself.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.operators.moving_operator import MovingOperator
from deepprove_dist.operators.pointwise import (
    IDENTITY,
    SQUARE_ROOT,
    Function,
    affine,
    compose,
    joinable,
)
from deepprove_dist.operators.requantise import FloatActivation
from deepprove_dist.operators.square_root import FloatRoot
from deepprove_dist.operators.weighted_sum import FloatSum


def apply(graph: GraphBuilder, tensor: str, function: Function) -> str:
    """A function of each element of a tensor."""
    if function == SQUARE_ROOT and (sum_ := _sum_of_several(graph, tensor)) is not None:
        return graph.add(FloatRoot, sum_)
    node = graph.producer(tensor)
    inner = node.elementwise if node else None
    if node is not None and inner is not None and graph.readers(tensor) == 1 and joinable(function, inner):
        return graph.add(FloatActivation, node.inputs, compose(function, inner))
    return graph.add(FloatActivation, tensor, function)


def _sum_of_several(graph: GraphBuilder, tensor: str) -> str | None:
    """A tensor of the same values, if each of them is the sum of several computed ones; None for others.

    A number that is added to such a sum becomes part of it.
    """
    node = graph.producer(tensor)
    if node is None:
        return None
    if node.elementwise is not None:
        line, inner = affine(node.elementwise), _sum_of_several(graph, node.input)
        if line is None or inner is None:
            return None
        return graph.add(FloatSum, inner, line[:1], np.array(line[1]))
    linear = node.as_linear()
    keeps_values = isinstance(node, MovingOperator) or (linear is not None and linear.adds_summands)
    if keeps_values and len(node.inputs) == 1:
        return None if _sum_of_several(graph, node.input) is None else tensor
    return tensor if linear is not None else None


def combine(
    graph: GraphBuilder, first: str, second: str, operation: Callable[[Function, Function], Function]
) -> str | None:
    """An operation on two tensors that are functions of one tensor; None for others."""
    return combine_all(graph, (first, second), operation)


def combine_all(
    graph: GraphBuilder, tensors: Sequence[str], operation: Callable[..., Function]
) -> str | None:
    """An operation on tensors that are functions of one tensor; None for others."""
    first, *others = tensors
    origins = [dict(_origins(graph, other)) for other in others]
    for tensor, function in _origins(graph, first):
        if all(tensor in functions for functions in origins):
            arguments = [function, *(functions[tensor] for functions in origins)]
            if not joinable(*arguments):
                continue
            return graph.add(FloatActivation, tensor, operation(*arguments))
    return None


def _origins(graph: GraphBuilder, tensor: str) -> Iterator[tuple[str, Function]]:
    """The tensors that a tensor is a function of, each with that function."""
    function: Function = IDENTITY
    yield tensor, function
    while (
        (node := graph.producer(tensor)) is not None
        and node.elementwise is not None
        and joinable(function, node.elementwise)
    ):
        tensor, function = node.input, compose(function, node.elementwise)
        yield tensor, function
