"""Attention of several heads, as onnxruntime's optimiser and its builder of models write it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import onnx

from deepprove_dist.importing.expanding.attention_heads import (
    Heads,
    Masking,
    after,
    as_truth_values,
    attend,
    causal,
    in_heads,
    joined_heads,
)
from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.packed_heads import apart
from deepprove_dist.importing.expanding.refused_parts import refuse_attributes, refuse_inputs
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.standard import RUNTIME

FILTER = -10000.0
"""What is added to the score of a position that is masked."""


def _attention(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """Queries, keys and values are three parts of one product with constant weights."""
    new = NodeReplacement(node, scope)
    tensor, weights, bias = (new.input(index) for index in range(3))
    weight, offset = new.value(weights), new.value(bias) if bias else None
    if weight is None or (bias and offset is None):
        raise UnsupportedNodeError("its weights are computed", "attention with constant weights")
    refuse_inputs(new, {4: "a joined past", 6: "a buffer for its past"})
    refuse_attributes(new, "do_rotary")
    sizes = new.attributes.get("qkv_hidden_sizes") or [weight.shape[1] // 3] * 3
    ends, heads = np.cumsum([0, *sizes]), new.attributes["num_heads"]
    batch, length, _ = new.shape(tensor)
    parts = []
    for size, (start, end) in zip(sizes, pairwise(ends), strict=True):
        part = new.add("MatMul", tensor, new.constant(weight[:, start:end], tensor))
        if offset is not None:
            part = new.add("Add", part, new.constant(offset[start:end], tensor))
        parts.append(in_heads(new, part, heads, (batch, length, size)))
    return _of_heads(new, parts, mask=new.input(3), bias=new.input(5))


def _multi_head(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """Queries, keys and values are tensors of their own."""
    new = NodeReplacement(node, scope)
    refuse_inputs(new, {8: "a buffer for its past", 9: "a table of its past"})
    parts = apart(new, new.attributes["num_heads"], bias=new.input(3))
    pasts = [new.input(6), new.input(7)]
    return _of_heads(new, parts, mask=new.input(4), bias=new.input(5), pasts=pasts)


def _of_heads(
    new: NodeReplacement, parts: Sequence[Heads], *, mask: str, bias: str, pasts: Sequence[str] = ("", "")
) -> list[onnx.NodeProto] | None:
    query, *incoming = parts
    key, value = (after(new, past, part) for past, part in zip(pasts, incoming, strict=True))
    (batch, count, rows, _), columns = query[1], key[1][2]
    masking = Masking(float(new.attributes.get("mask_filter_value", FILTER)), added=(bias,) if bias else ())
    if new.attributes.get("unidirectional", 0):
        masking = replace(masking, known=causal(rows, columns, columns - rows))
    if mask:
        counts = _counting(new, mask, (batch, rows, columns))
        masking = replace(masking, counts=(counts,))
    attended = attend(new, (query, key, value), masking, new.attributes.get("scale", 0.0))
    shape = (batch, count, rows, value[1][3])
    return new.finished(joined_heads(new, attended.result, shape), {1: key[0], 2: value[0]})


def _counting(new: NodeReplacement, mask: str, sizes: tuple[int, int, int]) -> str:
    """Truth values of a mask: for each column, for each row and column, or how many columns count."""
    (batch, rows, columns), shape = sizes, new.shape(mask)
    forms = {
        (batch, columns): (batch, 1, 1, columns),
        (batch, rows, columns): (batch, 1, rows, columns),
    }
    if shape in forms:
        return as_truth_values(new, mask, forms[shape])
    if shape != (batch,):
        raise UnsupportedNodeError(f"its mask has the shape {shape}", "masks of columns, or rows and columns")
    lengths = new.add("Reshape", mask, new.integers([batch, 1, 1, 1]))
    needed = np.arange(1, columns + 1).reshape(1, 1, 1, columns)
    return new.add("GreaterOrEqual", lengths, new.constant(needed, mask))


EXPANSIONS = (
    Expansion("Attention", "with constant weights, without a past", _attention, RUNTIME),
    Expansion("MultiHeadAttention", "with a past of a known length, or none", _multi_head, RUNTIME),
)
