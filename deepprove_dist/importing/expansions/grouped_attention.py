"""GroupQueryAttention of onnxruntime: several heads of queries share keys; no row sees the future."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from deepprove_dist.importing.expanding.attention_heads import (
    Heads,
    Masking,
    after,
    attend,
    causal,
    joined_heads,
)
from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.packed_heads import split
from deepprove_dist.importing.expanding.refused_parts import refuse_attributes, refuse_inputs
from deepprove_dist.importing.expanding.rotation import of_positions, rotated
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.standard import RUNTIME

REFUSED = {
    11: "a sink of its heads",
    12: "scales of quantised keys",
    13: "scales of quantised values",
    14: "a norm of its queries",
    15: "a norm of its keys",
    16: "numbers of valid queries",
}


def _grouped(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    refuse_inputs(new, REFUSED)
    refuse_attributes(new, "smooth_softmax", "qk_output", "sliding_window_cache")
    parts = split(new, (new.attributes["num_heads"], new.attributes["kv_num_heads"]))
    pasts = [new.input(index) for index in (3, 4)]
    before = new.shape(pasts[0])[2] if pasts[0] else 0
    if new.attributes.get("do_rotary", 0):
        parts = _with_positions(new, parts, before)
    query, *incoming = parts
    key, value = (after(new, past, part) for past, part in zip(pasts, incoming, strict=True))
    (batch, count, rows, _), columns = query[1], key[1][2]
    _require_all(new, columns)
    known = np.ones((1, 1, 1, 1), dtype=np.bool_)
    if new.attributes.get("causal", 1):
        known = causal(rows, columns, before)
        if (window := new.attributes.get("local_window_size", -1)) > 0:
            known = known & ~causal(rows, columns, before - window)
    bias = new.input(10)
    masking = Masking(-np.inf, known=known, added=(bias,) if bias else ())
    scale, cap = (new.attributes.get(name, 0.0) for name in ("scale", "softcap"))
    attended = attend(new, (query, key, value), masking, scale, cap)
    shape = (batch, count, rows, value[1][3])
    return new.finished(joined_heads(new, attended.result, shape), {1: key[0], 2: value[0]})


def _require_all(new: NodeReplacement, columns: int) -> None:
    """The numbers of keys, less one, are a constant, and all keys count."""
    lengths = new.value(new.input(5))
    if lengths is None or (lengths != columns - 1).any():
        raise UnsupportedNodeError(
            "its numbers of keys are computed, or not those of all keys",
            f"the constant {columns - 1}",
            "export the model for sequences of one length",
        )


def _with_positions(new: NodeReplacement, parts: Sequence[Heads], before: int) -> list[Heads]:
    """Queries and keys are rotated by their positions, those after a past if nothing else is said."""
    (batch, _, rows, _), tables = parts[0][1], (new.input(7), new.input(8))
    positions = new.input(9)
    if positions and before == 0 and rows > 1:
        # Of a prompt, onnxruntime reads the first position, and counts from it.
        first = new.add("Gather", positions, new.integers([0]), axis=1)
        positions = new.add("Add", first, new.constant(np.arange(rows)[None], positions))
    elif not positions:
        positions = new.integers(np.tile(before + np.arange(rows), (batch, 1)))
    half, interleaved = new.shape(tables[0])[-1], bool(new.attributes.get("rotary_interleaved", 0))
    cosines, sines = (of_positions(new, table, positions) for table in tables)
    turned = [
        (rotated(new, part, (cosines, sines), half, interleaved=interleaved), part[1]) for part in parts[:2]
    ]
    return [*turned, parts[2]]


EXPANSIONS = (Expansion("GroupQueryAttention", "of all keys, whose number is constant", _grouped, RUNTIME),)
