"""Chains of elementwise nodes become one function of the tensor they start from.

So an activation that an exporter wrote as several nodes is one table in the integer model. A chain starts
anew at a tensor with several readers, unless two branches of it meet again: x * sigmoid(x) is one function.
"""

from collections.abc import Callable, Iterator

from deepprove_dist.importing.builder import GraphBuilder, OnnxNode
from deepprove_dist.operators.pointwise import IDENTITY, Function, compose
from deepprove_dist.operators.requantise import FloatActivation

Origin = tuple[str, Function]
"""A tensor of the float graph, and the function of it that another tensor is."""


def apply(node: OnnxNode, graph: GraphBuilder, name: str, function: Function) -> None:
    """Adds ``function`` of a computed tensor as the node's output."""
    tensor = graph.tensor(name)
    root = tensor
    inner: Function = IDENTITY
    producer = graph.producer(tensor)
    if isinstance(producer, FloatActivation) and graph.readers(tensor) == 1:
        root, inner = producer.input, producer.function
    graph.add(FloatActivation(node.name, (root,), node.outputs[0], compose(function, inner)))


def combine(
    node: OnnxNode,
    graph: GraphBuilder,
    left: str,
    right: str,
    operation: Callable[[Function, Function], Function],
) -> bool:
    """Adds an operation on two computed tensors as the node's output, if both are functions of one tensor."""
    others = dict(_origins(graph, graph.tensor(right)))
    for root, function in _origins(graph, graph.tensor(left)):
        if root in others:
            combined = operation(function, others[root])
            graph.add(FloatActivation(node.name, (root,), node.outputs[0], combined))
            return True
    return False


def _origins(graph: GraphBuilder, tensor: str) -> Iterator[Origin]:
    function: Function = IDENTITY
    yield tensor, function
    while isinstance(producer := graph.producer(tensor), FloatActivation):
        tensor, function = producer.input, compose(function, producer.function)
        yield tensor, function
