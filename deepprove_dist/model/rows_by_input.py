"""Which layers select rows of their weights by a public input: read off the nodes that compute them.

Such a layer reads one-hot vectors of an input x, in row-major order: [x = k] + [x + n = k] for all k < n. A
statement has x, so that a proof needs none of these vectors (`public_selection`). Nor does an inference: the
layer's output is a row of its weights. Of a hidden input they stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.lowering.public_rows import PublicIndices, PublicRows
from deepprove_dist.model.hidden_names import NOTHING_HIDDEN, HiddenNames
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.broadcast import Broadcast
from deepprove_dist.operators.dense import Dense
from deepprove_dist.operators.integer_operator import Constants
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.operators.requantise import is_requantisation
from deepprove_dist.operators.requantise import read as read_requantisation
from deepprove_dist.operators.reshape import Reshape
from deepprove_dist.operators.selected_rows import Rows
from deepprove_dist.operators.weighted_sum import WeightedSum
from deepprove_dist.protocol.system.table import Interval, Table


def rows_for(model: IntegerModel, kept: Collection[str]) -> PublicRows:
    """These layers, for an inference of which tensors are ``kept``: none where one of these is unread."""
    shapes = {tensor.name: tensor.shape for tensor in model.inputs}
    shapes |= {name: values.shape for name, values in model.constants.items()}
    for node in model.nodes:
        known = [shapes[name] for name in node.inputs]
        shapes[node.output] = OPERATORS[node.operator].shape(node, known)
    rows = rows_by_input(model, shapes, NOTHING_HIDDEN)
    return PublicRows() if rows.unread.intersection(kept) else rows


def rows_by_input(model: IntegerModel, shapes: Mapping[str, Shape], hidden: HiddenNames) -> PublicRows:
    """These layers of a model of which some inputs are hidden, from the shapes of all tensors."""
    producers = {node.output: node for node in model.nodes}
    public = {tensor.name: tensor.interval for tensor in model.inputs if tensor.name not in hidden.inputs}
    trace = _Trace(producers, public, shapes, model.constants)
    indices = {
        node.output: PublicIndices(source, shapes[node.inputs[0]][:-1])
        for node in model.nodes
        if node.operator in (Dense.name, Rows.name) and (source := trace.input_of(node)) is not None
    }
    return PublicRows(indices, frozenset(_unread(model, indices)))


def _unread(model: IntegerModel, selected: Collection[str]) -> Iterator[str]:
    needed = {tensor.name for tensor in model.outputs}
    for node in reversed(model.nodes):
        if node.output not in needed and selected:
            yield node.output
        elif node.output not in selected:
            needed.update(node.inputs)


@dataclass(frozen=True)
class _Trace:
    """A model's nodes by their outputs, the ranges of public inputs, shapes, and constants."""

    producers: Mapping[str, Node]
    public: Mapping[str, Interval]
    shapes: Mapping[str, Shape]
    constants: Constants

    def input_of(self, layer: Node) -> str | None:
        """The public input whose one-hot vectors a layer reads."""
        choice = self.producers.get(layer.inputs[0])
        if choice is None or not is_requantisation(choice):
            return None
        shift, table, _ = read_requantisation(choice.attributes)
        distances = self.producers.get(choice.inputs[0])
        if shift != 0 or distances is None or distances.operator != WeightedSum.name:
            return None
        ramp = self._ramp(distances, self.shapes[choice.output][-1])
        repeated = [name for name in distances.inputs if name not in self.constants]
        if ramp is None or len(repeated) != 1:
            return None
        source = self._repeated(repeated[0])
        is_index = source is not None and _is_index(ramp, table, self.public[source])
        return source if is_index else None

    def _ramp(self, distances: Node, size: int) -> IntArray | None:
        """What is added to the one computed tensor of a sum, along its last axis; None for other sums."""
        multipliers = dict(zip(distances.inputs, integers(distances, "multipliers"), strict=True))
        ramp = np.full(size, integer(distances, "constant"), dtype=np.int64)
        for name, multiplier in multipliers.items():
            if name not in self.constants:
                if multiplier != 1:
                    return None
                continue
            values = self.constants[name]
            if values.size != size or values.shape[-1:] != (size,):
                return None
            ramp += multiplier * values.reshape(-1).astype(np.int64)
        return ramp if len(multipliers) == len(distances.inputs) else None

    def _repeated(self, name: str) -> str | None:
        """The public input that a tensor repeats along its last axis."""
        node = self.producers.get(name)
        if node is None or node.operator != Broadcast.name:
            return None
        (column,) = node.inputs
        repeats = self.shapes[column][-1:] == (1,) and self.shapes[name][:-1] == self.shapes[column][:-1]
        while (reshape := self.producers.get(column)) is not None and reshape.operator == Reshape.name:
            (column,) = reshape.inputs
        return column if repeats and column in self.public else None


def _is_index(ramp: IntArray, table: Table, values: Interval) -> bool:
    """Whether T(x + r_k) = [x = k] + [x + n = k] for all x in a range and all k < n."""
    size = len(ramp)
    if size < 2 or (ramp != -np.arange(size)).any():
        return False
    low, high = values[0] - size + 1, values[1]
    distances = np.arange(low, high + 1)
    return bool((table.apply(distances) == ((distances == 0) | (distances == -size))).all())
