"""Merkle trees over rows that are no code: all of them, or the opened ones with uniform digests beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.kernels import BaseVector, CodeShape
from deepprove_dist.protocol.messages.proof import Leaves
from deepprove_dist.protocol.opening.codes import queries
from tests.attacks.blake3 import keyed_hash
from tests.attacks.plain_merkle import DIGEST, NODE_KEY, climb, leaf_digests


def rows_of_leaves(shape: CodeShape, length: int, leaves: Sequence[int]) -> IntArray:
    """The positions of the rows in some leaves, given by their indices in the tree: [leaves, rows]."""
    step = 1 << shape.height
    first = [int(f"{leaf:0{shape.height}b}"[::-1], 2) if shape.height else 0 for leaf in leaves]
    return np.array([[start + row * step for row in range(length // step)] for start in first])


class Table:
    """Rows, [n, columns], hashed into a tree."""

    def __init__(self, rows: IntArray, shape: CodeShape) -> None:
        self.rows, self.shape = rows, shape
        leaves = range(1 << shape.height)
        data = self._leaf_rows(leaves)
        width = data.size // len(leaves)
        digests = leaf_digests(data.astype("<u4").tobytes(), width, shape.height, list(leaves))
        self.levels = [[digests[leaf] for leaf in leaves]]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            pairs = zip(below[::2], below[1::2], strict=True)
            self.levels.append([keyed_hash(NODE_KEY, left + right) for left, right in pairs])

    @property
    def root(self) -> bytes:
        """32 bytes."""
        return self.levels[-1][0]

    def open(self, positions: list[int]) -> Leaves:
        """What a prover sends for these positions."""
        leaves = queries(positions, self.shape).leaves
        nodes = siblings(leaves, self.shape.height, lambda level, index: self.levels[level][index])
        return Leaves(BaseVector.from_array(self._leaf_rows(leaves).reshape(-1)), nodes)

    def _leaf_rows(self, leaves: Sequence[int]) -> IntArray:
        return self.rows[rows_of_leaves(self.shape, len(self.rows), leaves)]


def open_without_table(
    rows: IntArray, shape: CodeShape, leaves: Sequence[int], rng: np.random.Generator
) -> tuple[Leaves, bytes]:
    """Opened leaves, [leaves, rows, columns], with uniform digests for all others; and the root."""
    nodes = siblings(leaves, shape.height, lambda *_: rng.bytes(DIGEST))
    data, width = rows.astype("<u4").tobytes(), rows.size // len(leaves)
    positions = rows_of_leaves(shape, 1 << shape.height, leaves)[:, 0]
    known = leaf_digests(data, width, shape.height, [int(position) for position in positions])
    return Leaves(BaseVector.from_array(rows.reshape(-1)), nodes), climb(known, nodes, shape.height)


def siblings(leaves: Sequence[int], height: int, digest: Callable[[int, int], bytes]) -> bytes:
    """The nodes that prove some leaves, level by level from the leaves up."""
    known, nodes = sorted(leaves), b""
    for level in range(height):
        parents = sorted({index // 2 for index in known})
        missing = [c for parent in parents for c in (2 * parent, 2 * parent + 1) if c not in known]
        nodes += b"".join(digest(level, index) for index in missing)
        known = parents
    return nodes
