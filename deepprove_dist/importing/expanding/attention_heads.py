"""Attention of several heads by simpler nodes: softmax(softcap(scale * Q K') + mask) V, for each head.

Expansions bring queries, keys and values to [batch, heads, length, features] first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError

Heads = tuple[str, Shape]
"""A tensor [batch, heads, length, features], and its shape."""


@dataclass(frozen=True)
class Masking:
    """Which positions count, and what is added to scores; all broadcast to [batch, heads, rows, columns].

    Attributes:
        counts: computed tensors of truth values: a position counts where all of them hold.
        known: the same as a constant.
        added: computed tensors that are added to scores.
        constant: what is added beside them.
        left_out: what is added where a position does not count. It may be -infinity. A row in which nothing
            counts has the results 0 then.
    """

    left_out: float
    counts: tuple[str, ...] = ()
    known: npt.NDArray[np.bool_] = field(default_factory=lambda: np.ones((1, 1, 1, 1), dtype=np.bool_))
    added: tuple[str, ...] = ()
    constant: npt.NDArray[Any] = field(default_factory=lambda: np.zeros((1, 1, 1, 1)))


@dataclass(frozen=True)
class Attended:
    """The result [batch, heads, rows, features], and what is computed on the way to it."""

    result: str
    product: str
    capped: str
    masked: str
    weights: str


def causal(rows: int, columns: int, before: int) -> npt.NDArray[np.bool_]:
    """Where the column is at most the row, of columns of which so many come before the first row."""
    return np.tril(np.ones((1, 1, rows, columns), dtype=np.bool_), before)


def attend(
    new: NodeReplacement, parts: Sequence[Heads], masking: Masking, scale: float = 0.0, cap: float = 0.0
) -> Attended:
    """Queries attend to keys and values; ``scale`` 0 is the inverse root of the features."""
    (query, shape), key, value = parts[0], *(repeated(new, part, parts[0][1][1]) for part in parts[1:])
    like = new.input(0)
    turned = new.add("Transpose", key[0], perm=[0, 1, 3, 2])
    factor = new.constant(scale or 1 / sqrt(shape[-1]), like)
    product = scores = new.add("Mul", new.add("MatMul", query, turned), factor)
    if cap:
        bound = new.constant(cap, like)
        scores = new.add("Mul", new.add("Tanh", new.add("Div", scores, bound)), bound)
    masked = _masked(new, scores, masking, like)
    weights = new.add("Softmax", masked, axis=-1)
    if masking.counts and np.isneginf(masking.left_out):
        weights = new.add("Where", new.add("IsNaN", weights), new.constant(0.0, like), weights)
    return Attended(new.add("MatMul", weights, value[0]), product, scores, masked, weights)


def _masked(new: NodeReplacement, scores: str, masking: Masking, like: str) -> str:
    for added in masking.added:
        scores = new.add("Add", scores, added)
    constant = masking.constant
    if masking.counts:
        bits = masking.counts[0]
        for other in masking.counts[1:]:
            bits = new.add("And", bits, other)
        if not masking.known.all():
            bits = new.add("And", bits, new.truth_values(masking.known))
        choices = (new.constant(number, like) for number in (0.0, masking.left_out))
        scores = new.add("Add", scores, new.add("Where", bits, *choices))
    else:
        constant = np.where(masking.known, constant, masking.left_out)
    return new.add("Add", scores, new.constant(constant, like)) if constant.any() else scores


def in_heads(new: NodeReplacement, tensor: str, heads: int, shape: Shape | None = None) -> Heads:
    """A tensor [batch, length, all features], or one that has heads already.

    ``shape`` is that of a tensor which the expansion adds.
    """
    shape = shape or new.shape(tensor)
    if len(shape) == 4:
        return tensor, shape
    batch, length, features = shape
    if heads < 1 or features % heads:
        raise UnsupportedNodeError(f"its {features} features are not those of {heads} heads")
    parts = new.add("Reshape", tensor, new.integers([batch, length, heads, features // heads]))
    return new.add("Transpose", parts, perm=[0, 2, 1, 3]), (batch, heads, length, features // heads)


def joined_heads(new: NodeReplacement, tensor: str, shape: Shape) -> str:
    """A tensor with heads, of this shape, as [batch, length, all features]."""
    batch, heads, length, features = shape
    rows = new.add("Transpose", tensor, perm=[0, 2, 1, 3])
    return new.add("Reshape", rows, new.integers([batch, length, heads * features]))


def after(new: NodeReplacement, past: str, part: Heads) -> Heads:
    """Keys or values after those of a past [batch, heads, length, features], if there is one."""
    tensor, (batch, heads, length, features) = part
    if not past or new.shape(past)[2] == 0:
        return part
    shape = (batch, heads, new.shape(past)[2] + length, features)
    return new.add("Concat", past, tensor, axis=2), shape


def repeated(new: NodeReplacement, part: Heads, heads: int) -> Heads:
    """Heads repeated, each as often in a row as makes so many of them."""
    tensor, (batch, few, length, features) = part
    if few == heads:
        return part
    if heads % few:
        raise UnsupportedNodeError(f"its {heads} heads of queries do not share {few} heads of keys evenly")
    apart = new.add("Reshape", tensor, new.integers([batch, few, 1, length, features]))
    several = new.add("Expand", apart, new.integers([batch, few, heads // few, length, features]))
    shape = (batch, heads, length, features)
    return new.add("Reshape", several, new.integers(shape)), shape


def as_truth_values(new: NodeReplacement, mask: str, shape: Shape) -> str:
    """A mask of integers or truth values under a shape."""
    if new.kind(mask) != onnx.TensorProto.BOOL:
        mask = new.add("Cast", mask, to=onnx.TensorProto.BOOL)
    return new.add("Reshape", mask, new.integers(shape))
