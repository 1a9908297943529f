"""Einsum: computed tensors are contracted one after the other, then a linear map has all constants.

A diagonal, an operand with a label twice, has a label of its own for each axis. Then the identity matrix of
these two is one more constant.
"""

from collections.abc import Sequence
from string import ascii_letters

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.axis_names import AxisNames
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.contraction import contract
from deepprove_dist.importing.rewriting.linear_map import linear_map
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rules.reduce import summed
from deepprove_dist.operators.transpose import FloatTranspose

ELLIPSIS = "..."


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    sides, output = _equation(node, graph)
    weights, computed = list[tuple[FloatArray, AxisNames]](), list[tuple[str, AxisNames]]()
    for name, side in zip(node.inputs, sides, strict=True):
        if graph.is_constant(name):
            weights.append((graph.numbers(name, "an operand"), side))
        else:
            distinct = _distinct(side)
            shape = graph.shape(name)
            computed.append((graph.tensor(name), distinct))
            weights += [
                (np.eye(shape[k]), [label, new])
                for k, (label, new) in enumerate(zip(side, distinct, strict=True))
                if label != new
            ]
    tensor, labels = computed[0]
    for number, (other, names) in enumerate(computed[1:], 2):
        later = [label for _, side in (*weights, *computed[number:]) for label in side]
        kept = [*output, *later]
        first = _summed(graph, tensor, labels, [*kept, *names])
        second = _summed(graph, other, names, [*kept, *labels])
        both = dict.fromkeys([*first[1], *second[1]])
        after = list(output) if not later else [label for label in both if label in kept]
        tensor, labels = contract(graph, (first[0], second[0]), (first[1], second[1]), after), after
    if weights:
        weight, names = _product(weights, {*labels, *output})
        return linear_map(graph, tensor, labels, weight, names, output)
    tensor, labels = _summed(graph, tensor, labels, output)
    return _in_order(graph, tensor, labels, output)


def _distinct(side: AxisNames) -> list[str]:
    """The labels, with a new one wherever a label comes again."""
    return [label if label not in side[:k] else f"{label} again {k}" for k, label in enumerate(side)]


def _product(weights: Sequence[tuple[FloatArray, AxisNames]], kept: set[str]) -> tuple[FloatArray, AxisNames]:
    """The one constant that several make, with the labels that anything else has."""
    letters = dict[str, str]()
    for _, side in weights:
        for label in side:
            letters.setdefault(label, ascii_letters[len(letters)])
    names = [label for label in letters if label in kept]
    terms, result = (
        ",".join("".join(letters[label] for label in side) for side in sides)
        for sides in ([side for _, side in weights], [names])
    )
    try:
        return np.einsum(f"{terms}->{result}", *(values for values, _ in weights)), names
    except ValueError as error:
        raise UnsupportedNodeError("the shapes of its constants do not fit together") from error


def _equation(node: OnnxNode, graph: GraphBuilder) -> tuple[list[list[str]], list[str]]:
    """The labels of the axes of all operands, and of the output."""
    equation = node.attributes["equation"].decode().replace(" ", "")
    terms, arrow, result = equation.partition("->")
    names = terms.split(",")
    if len(names) != len(node.inputs):
        raise UnsupportedNodeError(f"its equation '{equation}' is not of its {len(node.inputs)} inputs")
    sides = [_labels(side, len(graph.shape(name))) for side, name in zip(names, node.inputs, strict=True)]
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


def _in_order(graph: GraphBuilder, tensor: str, labels: AxisNames, order: AxisNames) -> str:
    permutation = tuple(list(labels).index(label) for label in order)
    if permutation == tuple(range(len(labels))):
        return tensor
    return graph.add(FloatTranspose, tensor, permutation)


RULES = (
    Rule(
        "Einsum",
        "of any equation",
        _rewrite,
        frozenset({"equation"}),
        since=12,
    ),
)
