"""Attention cut into blocks of queries, where a constant mask leaves out the keys before or after them.

A causal mask counts half of a square of scores. A triangle is no product of axes, so the square is cut. Each
block of queries has the scores of the keys that some of them count, and a mask for these. What is cut away
takes no values and no lookups. With n blocks of a causal mask (n + 1) / 2n of the square remain.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.regrouping.graph_edit import GraphEdit
from deepprove_dist.operators.concat import FloatConcat
from deepprove_dist.operators.float_contraction import FloatContraction
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.mask import FloatMaskedSoftmax
from deepprove_dist.operators.requantise import FloatActivation
from deepprove_dist.operators.take import FloatTake

LEAST_ROWS = 128
"""Queries of a block. A block costs a verifier some twenty tensors, and a prover nothing."""

LEAST_SAVED = 0.125
"""The share of all scores that has to be cut away."""


def cut_attention(graph: FloatGraph, reserved: Set[str]) -> FloatGraph:
    """The graph with attention in blocks of queries, where that cuts away enough scores.

    `reserved` are names that no new tensor may have.
    """
    edit = GraphEdit(graph, reserved)
    for node in graph.nodes:
        if isinstance(node, FloatMaskedSoftmax):
            attention = _attention(edit, node)
            blocks = None if attention is None else _blocks(attention.mask)
            if attention is not None and blocks is not None:
                _cut(edit, attention, blocks)
    return edit.result()


@dataclass(frozen=True)
class _Attention:
    """The products of queries and keys, functions of them, their softmax, and its products with values.

    `mask` is the softmax's, [.., queries, keys].
    """

    scores: FloatContraction
    functions: tuple[FloatActivation, ...]
    softmax: FloatMaskedSoftmax
    products: FloatContraction
    mask: FloatArray

    @property
    def nodes(self) -> tuple[FloatOperator, ...]:
        """All of it."""
        return (self.scores, *self.functions, self.softmax, self.products)


@dataclass(frozen=True)
class _Block:
    """Some queries, and the keys that they count."""

    rows: range
    columns: range


def _attention(edit: GraphEdit, softmax: FloatMaskedSoftmax) -> _Attention | None:
    """What a softmax is part of; None where that is no attention, or is read by something else, too."""
    functions: list[FloatActivation] = []
    before = edit.writer(softmax.input)
    while isinstance(before, FloatActivation):
        functions.insert(0, before)
        before = edit.writer(before.input)
    (after,) = readers if len(readers := edit.readers(softmax.output) or ()) == 1 else (None,)
    if not isinstance(before, FloatContraction) or not isinstance(after, FloatContraction):
        return None
    inner = [before.output, *(function.output for function in functions), softmax.output]
    if any(len(edit.readers(name) or ()) != 1 for name in inner) or after.inputs.count(softmax.output) != 1:
        return None
    shape = edit.shape(softmax.input)
    if len(shape) < 2 or softmax.mask.ndim < 2:
        return None
    mask = np.broadcast_to(softmax.mask, (*softmax.mask.shape[:-2], *shape[-2:]))
    attention = _Attention(before, tuple(functions), softmax, after, mask)
    rows, columns = _labels(attention)
    shared = rows in after.left and rows in after.right
    return attention if rows < after.outputs <= columns and not shared else None


def _labels(attention: _Attention) -> tuple[int, int]:
    """The labels of queries and keys among those of the products with values."""
    products = attention.products
    labels = products.left if products.inputs[0] == attention.softmax.output else products.right
    return labels[-2], labels[-1]


def _blocks(mask: FloatArray) -> list[_Block] | None:
    """As many blocks as there may be, a power of two; None where they cut away too little."""
    counted = (mask == 0).reshape(-1, *mask.shape[-2:]).any(axis=0)
    rows, columns = counted.shape
    count = 1
    while rows % (2 * count) == 0 and rows // (2 * count) >= LEAST_ROWS:
        count *= 2
    blocks: list[_Block] = []
    for first in range(0, rows, rows // count):
        block = range(first, first + rows // count)
        seen = np.flatnonzero(counted[block.start : block.stop].any(axis=0))
        blocks.append(_Block(block, range(int(seen[0]), int(seen[-1]) + 1)))
    kept = sum(len(block.rows) * len(block.columns) for block in blocks)
    return blocks if kept <= (1 - LEAST_SAVED) * rows * columns else None


def _cut(edit: GraphEdit, attention: _Attention, blocks: Sequence[_Block]) -> None:
    """One attention for each block, and all results one after the other."""
    nodes: list[FloatOperator] = []
    parts = [_attention_of(edit, attention, block, nodes) for block in blocks]
    products = attention.products
    rows, _ = _labels(attention)
    nodes.append(edit.make(FloatConcat(products.name, tuple(parts), products.output, rows), products.output))
    edit.replace(attention.nodes, nodes, at=products)


def _attention_of(edit: GraphEdit, attention: _Attention, block: _Block, nodes: list[FloatOperator]) -> str:
    """Adds the attention of one block to the nodes; the tensor that it results in."""
    scores, products = attention.scores, attention.products
    rank = scores.outputs
    last: FloatOperator = _part(edit, scores, {rank - 2: block.rows, rank - 1: block.columns}, {}, nodes)
    for function in attention.functions:
        last = edit.make(replace(function, inputs=(last.output,)))
        nodes.append(last)
    rows, columns = slice(block.rows.start, block.rows.stop), slice(block.columns.start, block.columns.stop)
    softmax = replace(
        attention.softmax,
        inputs=(last.output,),
        size=len(block.columns),
        mask=np.ascontiguousarray(attention.mask[..., rows, columns]),
    )
    nodes.append(edit.make(softmax))
    _, keys = _labels(attention)
    replaced = {attention.softmax.output: nodes[-1].output}
    return _part(edit, products, {keys: block.columns}, replaced, nodes).output


def _part(
    edit: GraphEdit,
    node: FloatContraction,
    kept: dict[int, range],
    replaced: dict[str, str],
    nodes: list[FloatOperator],
) -> FloatContraction:
    """A contraction of those elements of its inputs that are kept along some labels.

    Inputs that are `replaced` have these elements only.
    """
    inputs = []
    for name, labels in zip(node.inputs, (node.left, node.right), strict=True):
        if name in replaced:
            inputs.append(replaced[name])
            continue
        source = name
        for axis, label in enumerate(labels):
            if label in kept and len(kept[label]) < edit.shape(name)[axis]:
                taken = FloatTake(node.name, (source,), name, axis, tuple(kept[label]))
                nodes.append(edit.make(taken))
                source = nodes[-1].output
        inputs.append(source)
    contracted = tuple(
        len(kept[label]) if label in kept else size
        for label, size in enumerate(node.contracted, start=node.outputs)
    )
    part = edit.make(replace(node, inputs=tuple(inputs), contracted=contracted))
    nodes.append(part)
    return part
