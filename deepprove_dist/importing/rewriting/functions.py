"""Chains of elementwise nodes become one function of the tensor they start from.

So an activation that an exporter wrote as several nodes is one table in the integer model. A chain starts
again at a tensor with several readers, unless two branches of it meet: x * sigmoid(x) is one function.
"""

from collections.abc import Callable, Iterator, Sequence

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.operators.pointwise import IDENTITY, Function, compose
from deepprove_dist.operators.requantise import FloatActivation


def apply(graph: GraphBuilder, tensor: str, function: Function) -> str:
    """A function of each element of a tensor."""
    node = graph.producer(tensor)
    inner = node.elementwise if node else None
    if node is not None and inner is not None and graph.readers(tensor) == 1:
        return graph.add(FloatActivation, node.inputs, compose(function, inner))
    return graph.add(FloatActivation, tensor, function)


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
            return graph.add(FloatActivation, tensor, operation(*arguments))
    return None


def _origins(graph: GraphBuilder, tensor: str) -> Iterator[tuple[str, Function]]:
    """The tensors that a tensor is a function of, each with that function."""
    function: Function = IDENTITY
    yield tensor, function
    while (node := graph.producer(tensor)) is not None and node.elementwise is not None:
        tensor, function = node.input, compose(function, node.elementwise)
        yield tensor, function
