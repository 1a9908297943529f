"""Queries, keys and values as onnxruntime's operators read them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from deepprove_dist.importing.expanding.attention_heads import Heads, in_heads
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError


def apart(new: NodeReplacement, heads: int, bias: str) -> list[Heads]:
    """Queries, keys and values of a node's first three inputs, and what is added to the three before.

    Packed tensors are refused: onnxruntime has no kernel for them that this process could compare with.
    """
    names = [new.input(index) for index in range(3)]
    if not all(names) or len(new.shape(names[1])) == 5:
        raise UnsupportedNodeError("its keys or values are packed", "tensors of their own")
    shapes = [new.shape(name) for name in names]
    if bias:
        names = _with_bias(new, names, bias)
    return [in_heads(new, name, heads, shape) for name, shape in zip(names, shapes, strict=True)]


def _with_bias(new: NodeReplacement, names: list[str], bias: str) -> list[str]:
    values, shapes = new.value(bias), [new.shape(name) for name in names]
    if values is None or any(len(shape) != 3 for shape in shapes):
        raise UnsupportedNodeError("its bias is computed, or of tensors with heads", "a constant bias")
    ends = np.cumsum([0, *(shape[-1] for shape in shapes)])
    return [
        new.add("Add", name, new.constant(values[start:end], name))
        for name, (start, end) in zip(names, pairwise(ends), strict=True)
    ]


def split(new: NodeReplacement, counts: tuple[int, int]) -> list[Heads]:
    """Of so many heads of queries and of keys: tensors of their own, or all features one after the other."""
    heads = (counts[0], counts[1], counts[1])
    names, (batch, length, width) = [new.input(index) for index in range(3)], new.shape(new.input(0))
    if names[1]:
        return [in_heads(new, name, count) for name, count in zip(names, heads, strict=True)]
    features, left_over = divmod(width, sum(heads))
    if left_over:
        raise UnsupportedNodeError(f"its {width} features are not those of {sum(heads)} heads")
    parts = []
    for count, (start, end) in zip(heads, pairwise(np.cumsum([0, *heads]) * features), strict=True):
        indices = new.integers(np.arange(start, end))
        part = new.add("Gather", names[0], indices, axis=2)
        parts.append(in_heads(new, part, count, (batch, length, count * features)))
    return parts
