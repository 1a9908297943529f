"""Loading a key: every worker reads its parts of the weights from the model's file and commits to them.

A worker holds three things of the weights. First, its rows of the matrix: residues of low bits, in all
columns. Then its parts of the code with their subtrees. Last, slices of large layers. It reads the file a
block of columns at a time, so it never holds more than its share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path

import numpy as np

from deepprove_dist.execution.phases.layer_shares import ShareMessage, read_share
from deepprove_dist.execution.phases.state import WEIGHTS, KeyState, WorkerState
from deepprove_dist.kernels import (
    BaseVector,
    DyadicBlocks,
    Extension,
    ExtensionVector,
    PartialCode,
    random_values,
)
from deepprove_dist.model.constants import ConstantLocation
from deepprove_dist.protocol.claims.layout import blocks_between
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.key import Instance
from deepprove_dist.protocol.opening.codes import tree_shapes
from deepprove_dist.protocol.system.system import Matrix

BLOCK_VALUES = 1 << 22
"""Values of the weight matrix that are read at once: 16 MiB."""


def load(
    state: WorkerState,
    verifying: bytes,
    model: bytes,
    constants: Mapping[int, ConstantLocation],
    log_parts: int,
    parts: Sequence[int],
    layers: Sequence[ShareMessage],
    seed: bytes,
) -> list[bytes]:
    """Reads and commits the rank's parts; the roots of its subtrees of the weights' code.

    `verifying` is the verifying key's file, `model` the digest of the integer model's file. The worker knows
    where that is on its machine. `seed` is that of the random rows of hidden weights.
    """
    key = key_file.load(verifying)
    state.key = KeyState(key, log_parts, tuple(parts))
    state.trees.clear()
    path = state.context.file(model)
    for message in layers:
        share = read_share(message, path)
        state.key.layers[share.node.output] = share
    if key.weights is None:
        return []
    instance = key.instance(key.max_batch)
    tail = key.schedule.initial.tail(Matrix.WEIGHTS.value)
    file = _WeightFile(instance, path, constants, tail, seed)
    width = instance.layout.columns[Matrix.WEIGHTS]
    for part in parts:
        state.key.rows[part] = file.columns(0, width, state.key.residue(part))
    return _commit(state, file, width)


def column_values(state: WorkerState, z: Extension) -> ExtensionVector:
    """The rank's share of sum_i M[i][c] z^i, for every column c of the weights."""
    return state.column_values(state.key.rows, state.key.verifying.schedule.initial.weight_columns, z)


def _commit(state: WorkerState, file: _WeightFile, width: int) -> list[bytes]:
    key = state.key
    code = tree_shapes(key.verifying.schedule.initial)[0]
    codes = {part: PartialCode(code, key.log_parts, part) for part in key.parts}
    step = max(1, BLOCK_VALUES >> key.verifying.schedule.initial.log_rows)
    for first in range(0, width, step):
        block = file.columns(first, min(width, first + step), (0, 0))
        for partial in codes.values():
            partial.add_columns(first, block, state.encoder, state.pool)
    trees = {part: partial.finish(state.pool) for part, partial in codes.items()}
    state.trees[WEIGHTS] = trees
    return [trees[part].root for part in key.parts]


class _WeightFile:
    """The weight matrix, read from the model's file column by column, with `tail` random rows a column."""

    def __init__(
        self,
        instance: Instance,
        path: Path,
        locations: Mapping[int, ConstantLocation],
        tail: int,
        seed: bytes,
    ) -> None:
        self._instance, self._path = instance, path
        self._locations, self._tail, self._seed = locations, tail, seed
        # The tensor that was read last: the largest ones span many blocks of columns.
        self._last: tuple[int, BaseVector] | None = None

    def columns(self, first: int, end: int, residue: tuple[int, int]) -> BaseVector:
        """Columns [first, end), of all rows or of those of a residue."""
        layout, tensors = self._instance.layout, []
        low, high = first << layout.log_rows, end << layout.log_rows
        for tensor in sorted(self._locations):
            blocks = blocks_between(layout.blocks[tensor], low, high)
            if len(blocks) > 0:
                shape = self._instance.system.tensors[tensor].shape
                tensors.append((tensor, shape, blocks))
        # Written tensor by tensor: one of them in memory at a time.
        matrix = self._arrange(low, high - low, tensors, residue)
        if self._tail == 0:
            return matrix
        log_parts, part = residue
        values = random_values(self._seed, "tails", first * self._tail, (end - first) * self._tail)
        return matrix.with_tails(1 << (layout.log_rows - log_parts), values.parts(log_parts)[part])

    def _arrange(
        self,
        first: int,
        length: int,
        tensors: list[tuple[int, tuple[int, ...], DyadicBlocks]],
        residue: tuple[int, int],
    ) -> BaseVector:
        read = ((self._values(tensor), shape, blocks) for tensor, shape, blocks in tensors)
        return BaseVector.arranged(first, length, read, residue)

    def _values(self, tensor: int) -> BaseVector:
        if self._last is None or self._last[0] != tensor:
            self._last = tensor, _flat(self._locations[tensor], self._path)
        return self._last[1]


def _flat(location: ConstantLocation, path: Path) -> BaseVector:
    """A constant's field elements in row-major order."""
    values = location.map(path).reshape(prod(location.shape))
    # A file may hold them at any address, and in any order of bytes.
    return BaseVector.from_array(np.require(values, values.dtype.newbyteorder("="), ["C", "ALIGNED"]))
