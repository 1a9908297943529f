"""Attention of several heads, as onnxruntime's optimiser writes it: products, a softmax, transpositions.

softmax(scale * Q K' + mask) V, for each head.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

import numpy as np
import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.standard import RUNTIME

FILTER = -10000.0
"""What is added to the score of a position that is masked."""


def _attention(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """Queries, keys and values are three parts of one product with constant weights."""
    new = NodeReplacement(node, scope)
    tensor, weights, bias = (new.input(index) for index in range(3))
    weight, offset = new.value(weights), new.value(bias) if bias else None
    if weight is None or (bias and offset is None) or any(new.input(index) for index in (4, 6)):
        return None
    if new.attributes.get("do_rotary", 0):
        return None
    sizes = new.attributes.get("qkv_hidden_sizes") or [weight.shape[1] // 3] * 3
    ends = np.cumsum([0, *sizes])
    parts = []
    for start, end in pairwise(ends):
        part = new.add("MatMul", tensor, new.constant(weight[:, start:end], tensor))
        if offset is not None:
            part = new.add("Add", part, new.constant(offset[start:end], tensor))
        parts.append(part)
    length = new.shape(tensor)[1]
    return _of_heads(new, parts, [(length, size) for size in sizes], new.input(3), new.input(5))


def _multi_head(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """Queries, keys and values are tensors [batch, length, features]."""
    new = NodeReplacement(node, scope)
    tensors, bias = [new.input(index) for index in range(3)], new.input(3)
    if not all(tensors) or any(new.input(index) for index in (6, 7, 8, 9)):
        return None
    shapes = [new.shape(tensor) for tensor in tensors]
    offsets = new.value(bias) if bias else None
    if any(len(shape) != 3 for shape in shapes) or (bias and offsets is None):
        return None
    if offsets is not None:
        ends = np.cumsum([0, *(shape[-1] for shape in shapes)])
        tensors = [
            new.add("Add", tensor, new.constant(offsets[start:end], tensor))
            for tensor, (start, end) in zip(tensors, pairwise(ends), strict=True)
        ]
    return _of_heads(new, tensors, [shape[1:] for shape in shapes], new.input(4), new.input(5))


def _of_heads(
    new: NodeReplacement, parts: Sequence[str], sizes: Sequence[Sequence[int]], mask: str, bias: str
) -> list[onnx.NodeProto] | None:
    """``sizes``: length and features of queries, keys and values."""
    like, heads = new.input(0), new.attributes["num_heads"]
    batch = new.shape(like)[0]
    queries, keys, values = (
        new.add(
            "Transpose",
            new.add("Reshape", part, new.integers([batch, length, heads, features // heads])),
            perm=order,
        )
        for part, (length, features), order in zip(
            parts, sizes, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True
        )
    )
    (rows, width), (columns, _), (_, features) = sizes
    scale = new.attributes.get("scale", 0.0) or 1 / sqrt(width // heads)
    scores = new.add("Mul", new.add("MatMul", queries, keys), new.constant(scale, like))
    if bias:
        scores = new.add("Add", scores, bias)
    if mask:
        added = _mask(new, mask, (batch, columns))
        if added is None:
            return None
        scores = new.add("Add", scores, added)
    if new.attributes.get("unidirectional", 0):
        later = np.triu(np.full((rows, columns), _filter(new)), k=1 + columns - rows)
        scores = new.add("Add", scores, new.constant(later, like))
    weighted = new.add("MatMul", new.add("Softmax", scores, axis=-1), values)
    rearranged = new.add("Transpose", weighted, perm=[0, 2, 1, 3])
    return new.finished(new.add("Reshape", rearranged, new.integers([batch, rows, features])))


def _mask(new: NodeReplacement, mask: str, shape: tuple[int, int]) -> str | None:
    """What is added to scores, of a mask [batch, length] with 1 for what counts; None for other forms."""
    if new.shape(mask) != shape:
        return None
    like = new.input(0)
    counted = new.add("Cast", mask, to=new.kind(like))
    factor, shift = (new.constant(value, like) for value in (-_filter(new), _filter(new)))
    added = new.add("Add", new.add("Mul", counted, factor), shift)
    return new.add("Reshape", added, new.integers([shape[0], 1, 1, shape[1]]))


def _filter(new: NodeReplacement) -> float:
    return float(new.attributes.get("mask_filter_value", FILTER))


EXPANSIONS = (
    Expansion("Attention", "with constant weights, without a past", _attention, RUNTIME),
    Expansion("MultiHeadAttention", "of three tensors, without a past", _multi_head, RUNTIME),
)
