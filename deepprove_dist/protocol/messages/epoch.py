"""Epochs: each is one commitment to the same weights, with random rows of its own.

The verifying key holds epoch 0, the anchor. A statement of a hiding proof names the epoch that it is of.
"""

from __future__ import annotations

from typing import Annotated

from deepprove_dist.canonical import Digest, Limit, Record
from deepprove_dist.kernels import Extension

MAX_EPOCH = 1 << 53


class EpochWeights(Record, frozen=True):
    """The number of an epoch, the Merkle root of its weights' code, and the out-of-domain answer."""

    number: Annotated[int, Limit(ge=0, le=MAX_EPOCH)]
    root: Digest
    answer: Extension

    def __bytes__(self) -> bytes:
        """What a transcript absorbs: 8 + 32 + 20 bytes."""
        return self.number.to_bytes(8, "little") + self.root + bytes(self.answer)
