"""ScatterElements and ScatterND: elements of a tensor replaced, or added to, at constant indices.

Both are taken as rows of elements: some rows of the data are replaced by rows of the updates. ScatterElements
has rows of one element.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod

import numpy as np

from deepprove_dist.arrays import FloatArray, IntArray, Shape
from deepprove_dist.importing.rewriting.affine import weighted_sum
from deepprove_dist.importing.rewriting.arranging import arrange, numbered
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.constants import arrange_among, constant_tensor
from deepprove_dist.importing.rewriting.extrema import largest, smallest
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import axis_of, from_zero, reshaped
from deepprove_dist.importing.rewriting.standard import ALL_TYPES
from deepprove_dist.operators.concat import FloatConcat
from deepprove_dist.operators.multiply import FloatMultiply


@dataclass(frozen=True)
class _Rows:
    """Updates to ``targets``, rows of a tensor of ``shape``; a row has the shape ``row``."""

    shape: Shape
    row: Shape
    targets: IntArray

    @property
    def count(self) -> int:
        """Rows of the tensor."""
        return prod(self.shape) // prod(self.row)

    def elements(self, rows: IntArray) -> IntArray:
        """The numbers of the elements of these rows; -1 for those of row -1."""
        row = numbered(self.row)
        listed = rows.reshape(-1, *(1 for _ in self.row))
        return np.where(listed < 0, -1, listed * row.size + row)


def _scatter_elements(node: OnnxNode, graph: GraphBuilder) -> str:
    shape = graph.shape(node.input(0))
    axis = axis_of(node.attributes.get("axis", 0), len(shape))
    indices = from_zero(graph.required(node.input(1), "its indices"), shape[axis])
    within = tuple(slice(size) for size in indices.shape)
    first = numbered(shape)[(*within[:axis], slice(0, 1), *within[axis + 1 :])]
    return _scattered(node, graph, _Rows(shape, (), (first + indices * prod(shape[axis + 1 :])).reshape(-1)))


def _scatter_nd(node: OnnxNode, graph: GraphBuilder) -> str:
    shape, indices = graph.shape(node.input(0)), graph.required(node.input(1), "its indices")
    indexed = shape[: indices.shape[-1]]
    counted = [from_zero(indices[..., k], size).reshape(-1) for k, size in enumerate(indexed)]
    return _scattered(
        node, graph, _Rows(shape, shape[len(indexed) :], np.ravel_multi_index(counted, indexed))
    )


def _scattered(node: OnnxNode, graph: GraphBuilder, rows: _Rows) -> str:
    reduction = node.attributes.get("reduction", b"none").decode()
    match reduction:
        case "none":
            return _replaced(node, graph, rows)
        case "add":
            return _with_added(node, graph, rows)
        case "mul":
            return _combined(node, graph, rows, 1.0, _products)
        case "max":
            return _combined(node, graph, rows, None, largest)
        case "min":
            return _combined(node, graph, rows, None, smallest)
        case _:
            raise UnsupportedNodeError(f"its reduction is '{reduction}'", "none, add, mul, max and min")


def _replaced(node: OnnxNode, graph: GraphBuilder, rows: _Rows) -> str:
    data, updates = node.input(0), node.input(2)
    # Of several updates of a row the last one counts.
    places = np.full(rows.count, -1)
    places[rows.targets] = np.arange(len(rows.targets))
    if graph.is_constant(updates):
        constant = np.zeros((rows.count, *rows.row))
        constant[rows.targets] = _rows_of(graph, updates, rows)
        kept = rows.elements(np.where(places < 0, np.arange(rows.count), -1)).reshape(rows.shape)
        return arrange_among(graph, graph.tensor(data), kept, constant.reshape(rows.shape))
    changes = reshaped(graph, graph.tensor(updates), (len(rows.targets), *rows.row))
    if graph.is_constant(data):
        constant = _rows_of(graph, data, rows)
        placed = arrange_among(graph, changes, rows.elements(places), constant)
    else:
        before = reshaped(graph, graph.tensor(data), (rows.count, *rows.row))
        joined = graph.add(FloatConcat, (before, changes), 0)
        chosen = np.where(places < 0, np.arange(rows.count), rows.count + places)
        placed = arrange(graph, joined, rows.elements(chosen))
    return reshaped(graph, placed, rows.shape)


def _with_added(node: OnnxNode, graph: GraphBuilder, rows: _Rows) -> str:
    data, updates = node.input(0), node.input(2)
    constant, tensors = np.zeros((rows.count, *rows.row)), list[str]()
    if graph.is_constant(data):
        constant += _rows_of(graph, data, rows)
    else:
        tensors.append(reshaped(graph, graph.tensor(data), constant.shape))
    if graph.is_constant(updates):
        np.add.at(constant, rows.targets, _rows_of(graph, updates, rows))
    else:
        changes = reshaped(graph, graph.tensor(updates), (len(rows.targets), *rows.row))
        tensors += [arrange(graph, changes, rows.elements(places)) for places in _layers(rows)]
    return reshaped(graph, weighted_sum(graph, tensors, [1.0] * len(tensors), constant), rows.shape)


def _combined(
    node: OnnxNode,
    graph: GraphBuilder,
    rows: _Rows,
    neutral: float | None,
    combine: Callable[[GraphBuilder, Sequence[str]], str],
) -> str:
    """The data combined with updates, as many layers as a row has updates at most.

    A layer has the neutral value where it has no update, or the data's where there is no neutral value.
    """
    whole, stated = (rows.count, *rows.row), (len(rows.targets), *rows.row)
    data, changes = (
        None if graph.is_constant(name) else reshaped(graph, graph.tensor(name), shape)
        for name, shape in ((node.input(0), whole), (node.input(2), stated))
    )
    if data is None:
        data = constant_tensor(graph, _rows_of(graph, node.input(0), rows), changes or "")
    if changes is None:
        changes = constant_tensor(graph, _rows_of(graph, node.input(2), rows), data)
    tensors = [data]
    for places in _layers(rows):
        if neutral is not None:
            tensors.append(arrange(graph, changes, rows.elements(places), neutral))
        else:
            joined = graph.add(FloatConcat, (data, changes), 0)
            chosen = np.where(places < 0, np.arange(rows.count), rows.count + places)
            tensors.append(arrange(graph, joined, rows.elements(chosen)))
    return reshaped(graph, combine(graph, tensors), rows.shape)


def _products(graph: GraphBuilder, tensors: Sequence[str]) -> str:
    return reduce(lambda first, second: graph.add(FloatMultiply, (first, second)), tensors)


def _layers(rows: _Rows) -> list[IntArray]:
    """For each row one of its updates, or -1; then another one, until all updates are there."""
    layers, left = list[IntArray](), np.arange(len(rows.targets))
    while left.size:
        targets, firsts = np.unique(rows.targets[left], return_index=True)
        places = np.full(rows.count, -1)
        places[targets] = left[firsts]
        layers.append(places)
        left = np.delete(left, firsts)
    return layers


def _rows_of(graph: GraphBuilder, name: str, rows: _Rows) -> FloatArray:
    return graph.numbers(name, "its values").reshape(-1, *rows.row)


RULES = (
    Rule(
        "ScatterElements",
        "at constant indices, with any reduction",
        _scatter_elements,
        frozenset({"axis", "reduction"}),
        types=ALL_TYPES,
        since=11,
    ),
    Rule(
        "ScatterND",
        "at constant indices, with any reduction",
        _scatter_nd,
        frozenset({"reduction"}),
        types=ALL_TYPES,
        since=11,
    ),
)
