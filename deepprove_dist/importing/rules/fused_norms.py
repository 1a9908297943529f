"""Normalisations and softmax as exporters write them by several nodes: a quotient by a root, or by a sum.

    x / sqrt(mean x^2 + epsilon),  (x - mean x) / sqrt(mean (x - mean x)^2 + epsilon),  exp x / sum exp x

Node by node they would lose precision. The nodes before, where nothing else reads them, are not computed.
"""

from dataclasses import dataclass

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.last_axis import along_axes
from deepprove_dist.importing.rewriting.norms import centred, normalised, of_length_one
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import NUMBER_TYPES
from deepprove_dist.importing.rules.matching import number, origin, same, source
from deepprove_dist.importing.rules.reduce import reduced_axes
from deepprove_dist.operators.softmax import FloatSoftmax

Axes = tuple[int, ...]


@dataclass(frozen=True)
class _Root:
    """sqrt(sum of squares of a tensor over axes + epsilon), or of their mean."""

    tensor: str
    axes: Axes
    epsilon: float
    of_mean: bool


def _divided(node: OnnxNode, graph: GraphBuilder) -> str | None:
    if any(map(graph.is_constant, node.inputs)):
        return None
    return _by_root(graph, node.input(0), _root(graph, node.input(1))) or _softmax(node, graph)


def _multiplied(node: OnnxNode, graph: GraphBuilder) -> str | None:
    if len(node.inputs) != 2 or any(map(graph.is_constant, node.inputs)):
        return None
    for dividend, inverse in (node.inputs, node.inputs[::-1]):
        result = _by_root(graph, dividend, _inverse(graph, inverse))
        if result is not None:
            return result
    return None


def _inverse(graph: GraphBuilder, name: str) -> _Root | None:
    """The root that a tensor is 1 over."""
    node = origin(graph, name, "Reciprocal", "Div", "Pow")
    if node is None:
        return None
    if node.operator == "Pow":
        return _radicand(graph, node.input(0)) if number(graph, node.input(1)) == -0.5 else None
    if node.operator == "Div":
        return _root(graph, node.input(1)) if number(graph, node.input(0)) == 1 else None
    return _root(graph, node.input(0))


def _root(graph: GraphBuilder, name: str) -> _Root | None:
    node = origin(graph, name, "Sqrt", "Pow", "ReduceL2")
    if node is None:
        return None
    if node.operator == "ReduceL2":
        axes = _kept_axes(graph, node)
        return None if axes is None else _Root(node.input(0), axes, 0.0, of_mean=False)
    if node.operator == "Pow" and number(graph, node.input(1)) != 0.5:
        return None
    return _radicand(graph, node.input(0))


def _radicand(graph: GraphBuilder, name: str) -> _Root | None:
    """What a root is of: a mean or a sum of squares, to which a positive number may be added."""
    epsilon, total = 0.0, name
    added = origin(graph, name, "Add")
    if added is not None:
        for value, other in (added.inputs, added.inputs[::-1]):
            constant = number(graph, value)
            if constant is not None and constant >= 0:
                epsilon, total = constant, other
    node = origin(graph, total, "ReduceMean", "ReduceSum", "ReduceSumSquare")
    axes = None if node is None else _kept_axes(graph, node)
    if node is None or axes is None:
        return None
    squared = node.input(0) if node.operator == "ReduceSumSquare" else _squared(graph, node.input(0))
    return None if squared is None else _Root(squared, axes, epsilon, node.operator == "ReduceMean")


def _squared(graph: GraphBuilder, name: str) -> str | None:
    """The tensor that a tensor is the square of."""
    node = origin(graph, name, "Mul", "Pow")
    if node is None:
        return None
    if node.operator == "Pow":
        return node.input(0) if number(graph, node.input(1)) == 2 else None
    return node.input(0) if same(graph, node.input(0), node.input(1)) else None


def _kept_axes(graph: GraphBuilder, node: OnnxNode) -> Axes | None:
    """The axes that a node reduces to size 1, if it keeps them."""
    axes = reduced_axes(node, graph, len(graph.shape(node.input(0))))
    return axes if axes and node.attributes.get("keepdims", 1) else None


def _by_root(graph: GraphBuilder, dividend: str, root: _Root | None) -> str | None:
    if root is None or not same(graph, dividend, root.tensor):
        return None
    mean_of = _centred(graph, dividend, root.axes) if root.of_mean else None

    def apply(rows: str, size: int) -> str:
        if not root.of_mean:
            return of_length_one(graph, rows, root.epsilon)
        return normalised(graph, rows if mean_of is None else centred(graph, rows), root.epsilon)

    tensor = graph.tensor(source(graph, dividend) if mean_of is None else mean_of)
    return along_axes(graph, tensor, root.axes, apply)


def _centred(graph: GraphBuilder, name: str, axes: Axes) -> str | None:
    """The tensor whose deviations from its mean over these axes a tensor is."""
    node = origin(graph, name, "Sub")
    mean = None if node is None else origin(graph, node.input(1), "ReduceMean")
    if node is None or mean is None or not same(graph, mean.input(0), node.input(0)):
        return None
    return node.input(0) if _kept_axes(graph, mean) == axes else None


def _softmax(node: OnnxNode, graph: GraphBuilder) -> str | None:
    total = origin(graph, node.input(1), "ReduceSum")
    power = origin(graph, node.input(0), "Exp")
    if total is None or power is None or not same(graph, total.input(0), node.input(0)):
        return None
    axes = _kept_axes(graph, total)
    if axes is None:
        return None
    less = origin(graph, power.input(0), "Sub")
    largest = None if less is None else origin(graph, less.input(1), "ReduceMax")
    # What is subtracted from all entries of a row changes no quotient.
    name = power.input(0)
    if less is not None and largest is not None and _kept_axes(graph, largest) == axes:
        name = less.input(0)

    def apply(rows: str, size: int) -> str:
        return graph.add(FloatSoftmax, rows, size)

    return along_axes(graph, graph.tensor(name), axes, apply)


RULES = (
    Rule("Div", "by a norm", _divided, types=NUMBER_TYPES),
    Rule("Mul", "by an inverse norm", _multiplied, types=NUMBER_TYPES),
)
