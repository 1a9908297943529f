"""The tree over a large code that may never be opened: set-up needs its root alone.

A code has several times the size of its matrix. Here its subtrees are made one after the other, and memory is
that of one. When leaves are first opened, as for a proof, the whole code is made, and kept.
"""

from __future__ import annotations

from functools import cached_property

from deepprove_dist.kernels import (
    BaseVector,
    CodeShape,
    Commitment,
    Encoder,
    JoinedTree,
    PartialCommitment,
    Pool,
)


class LaterTree:
    """The tree over the code of a matrix, as `Commitment` has it.

    ``root``, 32 bytes, is joined from those of 2^``log_parts`` subtrees, which are at most as many as leaves.
    """

    def __init__(self, matrix: BaseVector, shape: CodeShape, log_parts: int, pool: Pool) -> None:
        self._matrix, self._shape, self._pool, encoder = matrix, shape, pool, Encoder()
        roots = [
            PartialCommitment.of_parts([matrix], shape, log_parts, part, encoder, pool).root
            for part in range(1 << log_parts)
        ]
        self.root = JoinedTree(roots, shape, pool).root

    def open(self, leaves: list[int]) -> tuple[BaseVector, bytes]:
        """See `Tree`."""
        return self._whole.open(leaves)

    @cached_property
    def _whole(self) -> Commitment:
        return Commitment.of_base(self._matrix, self._shape, Encoder(), self._pool)
