"""Dense layers cut where readers select channels: queries, keys and values that one product computes.

Formats belong to tensors. Where readers need different ones, each would get the whole layer in its format. A
layer for each selection commits to every value once, in the format that its reader needs.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.regrouping.graph_edit import GraphEdit
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.reshape import FloatReshape
from deepprove_dist.operators.take import FloatTake
from deepprove_dist.operators.transpose import FloatTranspose

View = FloatReshape | FloatTranspose


def cut_layers(graph: FloatGraph, reserved: Set[str]) -> FloatGraph:
    """The graph with a layer for each selection of a dense layer's channels.

    A layer is cut where all that is read of it are selections of channels, each of them once at most. Views
    may be between. `reserved` are names that no new tensor may have.
    """
    edit = GraphEdit(graph, reserved)
    for layer in graph.nodes:
        if isinstance(layer, FloatDense):
            _cut(edit, layer)
    return edit.result()


@dataclass(frozen=True)
class _Selection:
    """A selection of a layer's channels, after some views of its output."""

    views: tuple[View, ...]
    take: FloatTake


@dataclass(frozen=True)
class _Group:
    """An axis of channels (outer, selected, inner) in row-major order, of which the selected are counted."""

    axis: int
    outer: int
    inner: int

    def size(self, selected: int) -> int:
        """Of the axis."""
        return self.outer * selected * self.inner


@dataclass(frozen=True)
class _Cut:
    """A selection, where its axis is in the layer's output and after each view, and the layer's channels."""

    selection: _Selection
    groups: tuple[_Group, ...]
    channels: list[int]


def _cut(edit: GraphEdit, layer: FloatDense) -> None:
    selections = _selections(edit, layer.output, ())
    if selections is None or len(selections) < 2:
        return
    cuts = [_cut_for(edit, layer, selection) for selection in selections]
    known = [cut for cut in cuts if cut is not None]
    if len(known) < len(cuts) or sum(len(cut.channels) for cut in known) > len(layer.weight):
        return
    dropped: dict[str, FloatOperator] = {layer.output: layer}
    nodes: list[FloatOperator] = []
    for cut in known:
        nodes += _layer_of(edit, layer, cut)
        dropped |= {node.output: node for node in (*cut.selection.views, cut.selection.take)}
    edit.replace(list(dropped.values()), nodes, at=layer)


def _selections(edit: GraphEdit, name: str, views: tuple[View, ...]) -> list[_Selection] | None:
    """All that is read of a tensor; None where some of it is no selection."""
    readers = edit.readers(name)
    if readers is None:
        return None
    selections: list[_Selection] = []
    for reader in readers:
        if isinstance(reader, FloatTake) and not reader.is_filled:
            selections.append(_Selection(views, reader))
            continue
        if not isinstance(reader, View):
            return None
        after = _selections(edit, reader.output, (*views, reader))
        if after is None:
            return None
        selections += after
    return selections


def _cut_for(edit: GraphEdit, layer: FloatDense, selection: _Selection) -> _Cut | None:
    """What a selection takes of a layer; None where that is no selection of the layer's channels."""
    group = _Group(selection.take.axis, 1, 1)
    groups = [group]
    for view in reversed(selection.views):
        before = _before(view, group, edit.shape(view.input), edit.shape(view.output))
        if before is None:
            return None
        group = before
        groups.insert(0, group)
    channels = _channels(group, selection.take, len(layer.weight))
    if channels is None or group.axis != len(edit.shape(layer.output)) - 1:
        return None
    return _Cut(selection, tuple(groups), channels)


def _before(view: View, group: _Group, before: Shape, after: Shape) -> _Group | None:
    """The group of the selected channels before a view; None where they are no part of one axis."""
    if isinstance(view, FloatTranspose):
        return replace(group, axis=view.permutation[group.axis])
    step, end = prod(after[group.axis + 1 :]), prod(after[group.axis :])
    for axis, size in enumerate(before):
        inner_step = prod(before[axis + 1 :])
        covers = step % inner_step == 0 and (inner_step * size) % end == 0
        if size > 1 and covers:
            return _Group(axis, group.outer * (inner_step * size // end), group.inner * (step // inner_step))
    return None


def _channels(group: _Group, take: FloatTake, count: int) -> list[int] | None:
    """The channels of a layer with so many that are selected, in the order of the new layer's."""
    selected = count // (group.outer * group.inner)
    if len(set(take.indices)) < len(take.indices) or max(take.indices) >= selected:
        return None
    cut = np.arange(count).reshape(group.outer, selected, group.inner)
    chosen: list[int] = cut[:, list(take.indices)].reshape(-1).tolist()
    return chosen


def _layer_of(edit: GraphEdit, layer: FloatDense, cut: _Cut) -> list[FloatOperator]:
    """The layer of some channels, and the views after which it is what the selection gave."""
    views, take, channels = cut.selection.views, cut.selection.take, cut.channels
    span = range(channels[0], channels[-1] + 1)
    # A slice of weights that are mapped from a file is mapped, too.
    rows = slice(span.start, span.stop) if channels == list(span) else channels
    smaller = replace(layer, weight=layer.weight[rows], bias=layer.bias[rows])
    nodes: list[FloatOperator] = [edit.make(smaller, None if views else take.output)]
    for number, (view, group) in enumerate(zip(views, cut.groups[1:], strict=True), start=1):
        moved: View = replace(view, inputs=(nodes[-1].output,))
        if isinstance(moved, FloatReshape):
            size = group.size(len(take.indices))
            moved = replace(moved, shape=(*moved.shape[: group.axis], size, *moved.shape[group.axis + 1 :]))
        nodes.append(edit.make(moved, take.output if number == len(views) else None))
    return nodes
