"""Einsum of one or two tensors: sums over labels of one of them, then a contraction, then a transposition.

A constant of two tensors makes a dense layer, where the output has no label of both.
"""

from math import prod

import numpy as np

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.contraction import AxisNames, contract
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rules.reduce import summed
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.reshape import FloatReshape
from deepprove_dist.operators.transpose import FloatTranspose

ELLIPSIS = "..."


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    sides, output = _equation(node, graph)
    if len(sides) == 1:
        tensor, labels = _summed(graph, graph.tensor(node.input(0)), sides[0], output)
        return _in_order(graph, tensor, labels, output)
    if len(sides) != 2:
        raise UnsupportedNodeError(f"it has {len(sides)} operands", "Einsum of one or two tensors")
    for index, name in enumerate(node.inputs):
        if graph.is_constant(name):
            other = 1 - index
            return _with_constant(
                graph, graph.tensor(node.input(other)), sides[other], (name, sides[index]), output
            )
    first, second = (
        _summed(graph, graph.tensor(name), side, [*output, *sides[1 - index]])
        for index, (name, side) in enumerate(zip(node.inputs, sides, strict=True))
    )
    return contract(graph, (first[0], second[0]), (first[1], second[1]), output)


def _equation(node: OnnxNode, graph: GraphBuilder) -> tuple[list[list[str]], list[str]]:
    """The labels of the axes of all operands, and of the output."""
    equation = node.attributes["equation"].decode().replace(" ", "")
    terms, arrow, result = equation.partition("->")
    names = terms.split(",")
    if len(names) != len(node.inputs):
        raise UnsupportedNodeError(f"its equation '{equation}' is not of its {len(node.inputs)} inputs")
    sides = [_labels(side, len(graph.shape(name))) for side, name in zip(names, node.inputs, strict=True)]
    if any(len(set(side)) != len(side) for side in sides):
        raise UnsupportedNodeError(
            f"its equation '{equation}' takes a diagonal", "Einsum whose operands have each label once"
        )
    if not arrow:
        once = (label for label in sorted(set(terms) - set(".,")) if terms.count(label) == 1)
        result = (ELLIPSIS if ELLIPSIS in terms else "") + "".join(once)
    batches = max(sum(label.startswith(ELLIPSIS) for label in side) for side in sides)
    return sides, _labels(result, batches + len(result.replace(ELLIPSIS, "")))


def _labels(term: str, rank: int) -> list[str]:
    """A label for each of so many axes; those of an ellipsis are numbered from the last one on."""
    before, dots, after = term.partition(ELLIPSIS)
    batches = rank - len(before) - len(after)
    if batches < 0 or (batches > 0 and not dots):
        raise UnsupportedNodeError(f"its term '{term}' does not fit a tensor of rank {rank}")
    return [*before, *(f"{ELLIPSIS}{number}" for number in reversed(range(batches))), *after]


def _summed(graph: GraphBuilder, tensor: str, labels: AxisNames, kept: AxisNames) -> tuple[str, list[str]]:
    """The tensor summed over the labels that nothing keeps, and its labels then."""
    axes = tuple(axis for axis, label in enumerate(labels) if label not in kept)
    return summed(graph, tensor, axes), [label for label in labels if label in kept]


def _with_constant(
    graph: GraphBuilder, tensor: str, labels: AxisNames, constant: tuple[str, AxisNames], output: AxisNames
) -> str:
    values, names = graph.numbers(constant[0], "an operand"), list(constant[1])
    lost = tuple(k for k, label in enumerate(names) if label not in labels and label not in output)
    values, names = values.sum(axis=lost), [label for k, label in enumerate(names) if k not in lost]
    tensor, remaining = _summed(graph, tensor, labels, [*output, *names])
    both = [label for label in remaining if label in names]
    if any(label in output for label in both):
        raise UnsupportedNodeError(
            f"its output keeps the labels {[label for label in both if label in output]} of both operands, "
            "and one of these is a constant",
            "Einsum with a constant whose common labels are summed over",
        )
    alone = [label for label in names if label not in both]
    rows = values.transpose([names.index(label) for label in (*alone, *both)])
    sizes = rows.shape[: len(alone)]
    others = [label for label in remaining if label not in both]
    moved = _in_order(graph, tensor, remaining, [*others, *both])
    shape = graph.shape(moved)[: len(others)]
    count = prod(rows.shape[len(alone) :])
    flat = graph.add(FloatReshape, moved, (*shape, count))
    dense = graph.add(FloatDense, flat, rows.reshape(prod(sizes), count), np.zeros(prod(sizes)))
    whole = graph.add(FloatReshape, dense, (*shape, *sizes))
    return _in_order(graph, whole, [*others, *alone], output)


def _in_order(graph: GraphBuilder, tensor: str, labels: AxisNames, order: AxisNames) -> str:
    permutation = tuple(list(labels).index(label) for label in order)
    if permutation == tuple(range(len(labels))):
        return tensor
    return graph.add(FloatTranspose, tensor, permutation)


RULES = (
    Rule(
        "Einsum",
        "of one or two tensors, none of whose diagonals is taken",
        _rewrite,
        frozenset({"equation"}),
        since=12,
    ),
)
