"""Attention of ONNX's own standard, with a past, groups of heads, and masks of any kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx

from deepprove_dist.importing.expanding.attention_heads import (
    Attended,
    Masking,
    after,
    attend,
    causal,
    in_heads,
    joined_heads,
)
from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError

WINDOWS = ("left_window_size", "right_window_size")
PAST = (4, 5)
"""Inputs: keys and values before those of the node."""


def _attention(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """Queries, keys and values are [batch, heads, length, features], or [batch, length, all features]."""
    new = NodeReplacement(node, scope)
    for name in WINDOWS:
        if new.attributes.get(name, -1) >= 0:
            raise UnsupportedNodeError(f"its attribute {name} is set", f"the operator without {name}")
    heads = [new.attributes.get(f"{name}_num_heads", 0) for name in ("q", "kv", "kv")]
    query, *incoming = (in_heads(new, new.input(index), count) for index, count in enumerate(heads))
    pasts = [new.input(index) for index in PAST]
    key, value = (after(new, past, part) for past, part in zip(pasts, incoming, strict=True))
    (batch, count, rows, _), columns = query[1], key[1][2]
    before = columns - incoming[0][1][2]
    masking = _masking(new, (batch, count, rows, columns), before)
    scale, cap = (new.attributes.get(name, 0.0) for name in ("scale", "softcap"))
    attended = attend(new, (query, key, value), masking, scale, cap)
    result = attended.result
    if len(new.shape(new.input(0))) == 3:
        result = joined_heads(new, result, (batch, count, rows, value[1][3]))
    further = {1: key[0], 2: value[0]}
    if len(node.output) > 3 and node.output[3]:
        further[3] = _shown(attended, new.attributes.get("qk_matmul_output_mode", 0), masking)
    return new.finished(result, further)


def _shown(attended: Attended, mode: int, masking: Masking) -> str:
    if mode == 2 and (masking.counts or not masking.known.all() or np.isinf(masking.constant).any()):
        raise UnsupportedNodeError(
            "its output of masked scores is infinite where they are left out",
            "outputs of scores before the mask, or after softmax",
        )
    return (attended.product, attended.capped, attended.masked, attended.weights)[mode]


def _masking(new: NodeReplacement, sizes: tuple[int, int, int, int], before: int) -> Masking:
    batch, _, rows, columns = sizes
    masking, known = Masking(-np.inf), np.ones((1, 1, 1, 1), dtype=np.bool_)
    is_causal, valid = new.attributes.get("is_causal", 0), new.input(6)
    if mask := new.input(3):
        masking = _with_mask(new, masking, mask, columns)
    if valid:
        # Of so many valid columns a row sees those before it, or all.
        needed = np.arange(columns) + 1 + np.zeros((1, 1, rows, 1))
        if is_causal:
            needed = needed + (rows - 1 - np.arange(rows))[:, None]
        lengths, constant = new.value(valid), needed.astype(np.int64)
        if lengths is not None:
            known = constant <= lengths.reshape(batch, 1, 1, 1)
        else:
            column = new.add("Reshape", valid, new.integers([batch, 1, 1, 1]))
            holds = new.add("GreaterOrEqual", column, new.integers(constant))
            masking = replace(masking, counts=(*masking.counts, holds))
    elif is_causal:
        known = causal(rows, columns, before)
    return replace(masking, known=masking.known & known)


def _with_mask(new: NodeReplacement, masking: Masking, mask: str, columns: int) -> Masking:
    """A mask of truth values says what counts, another is added. What a short one lacks does not count."""
    values, shape = new.value(mask), new.shape(mask)
    length = shape[-1]
    reached = np.arange(columns).reshape(1, 1, 1, -1) < (length if length > 1 else columns)
    lacking = [(0, 0)] * (len(shape) - 1) + [(0, columns - length if length > 1 else 0)]
    if values is None:
        if lacking[-1][1]:
            raise UnsupportedNodeError("its mask is computed, and shorter than its keys", "masks of all keys")
        is_bits = new.kind(mask) == onnx.TensorProto.BOOL
        return replace(masking, counts=(mask,)) if is_bits else replace(masking, added=(mask,))
    values = np.pad(values, lacking)
    if values.dtype == np.bool_:
        return replace(masking, known=values & reached)
    return replace(masking, constant=values.astype(np.float64), known=reached)


EXPANSIONS = (Expansion("Attention", "with masks of any kind, and a past of a known length", _attention),)
