"""RotaryEmbedding, of the standard and of onnxruntime, which has other names and another order of inputs."""

from __future__ import annotations

import numpy as np
import onnx

from deepprove_dist.importing.expanding.attention_heads import in_heads, joined_heads
from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.rotation import of_positions, rotated
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.standard import RUNTIME


def _standard(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    cosines, sines = new.input(1), new.input(2)
    if positions := new.input(3):
        cosines, sines = (of_positions(new, table, positions) for table in (cosines, sines))
    return _of_tables(new, (cosines, sines), new.shape(new.input(1))[-1], new.attributes.get("num_heads", 0))


def _of_runtime(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    shape, positions = new.shape(new.input(0)), new.input(1)
    if new.attributes.get("is_packed_batching", 0) or new.attributes.get("scale", 1.0) != 1.0:
        return None
    batch, length = shape[0], shape[-2]
    width, heads = new.attributes.get("rotary_embedding_dim", 0), new.attributes.get("num_heads", 0)
    if new.shape(positions) == (1,) and (batch, length) != (1, 1):
        # One number: that of the first position.
        steps = new.constant(np.arange(length).reshape(1, -1).repeat(batch, axis=0), positions)
        positions = new.add("Add", steps, positions)
    elif len(new.shape(positions)) == 1:
        positions = new.add("Reshape", positions, new.integers([batch, length]))
    cosines, sines = (of_positions(new, new.input(index), positions) for index in (2, 3))
    half = new.shape(new.input(2))[-1]
    if not width:
        heads = shape[-1] // (2 * half)
    return _of_tables(new, (cosines, sines), half, heads)


def _of_tables(
    new: NodeReplacement, tables: tuple[str, str], half: int, heads: int
) -> list[onnx.NodeProto] | None:
    part = in_heads(new, new.input(0), heads)
    width = new.attributes.get("rotary_embedding_dim", 0) or part[1][-1]
    if width != 2 * half:
        raise UnsupportedNodeError(f"its tables have {half} angles for {width} features")
    result = rotated(new, part, tables, half, interleaved=bool(new.attributes.get("interleaved", 0)))
    if len(new.shape(new.input(0))) == 3:
        result = joined_heads(new, result, part[1])
    return new.finished(result)


EXPANSIONS = (
    Expansion("RotaryEmbedding", "of any angles and positions", _standard),
    Expansion("RotaryEmbedding", "without a scale", _of_runtime, RUNTIME),
)
