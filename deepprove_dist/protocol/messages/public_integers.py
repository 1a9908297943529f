"""The integers of an input or output, and the bytes in which a statement has them.

A kernel writes the integers of a tensor in the shortest of three forms: see `integer_code.rs`. One has as
many bits as the range. The others are Rice's code of the values, and of their differences. The encoding of
integers is unique, and none outside the range has any.

A verifier binds integers by kernels, and compares their bytes. Arrays are made where somebody asks for them:
numpy alone takes longer to load than a proof to check.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.kernels import BaseVector, decode_integers, encode_integers, most_integer_bytes
from deepprove_dist.protocol.messages.rejection import checking
from deepprove_dist.protocol.system.system import PublicTensor

if TYPE_CHECKING:
    from collections.abc import Sequence

INTEGER_BYTES = 4
"""Of an integer beside its encoding."""

MAX_INTEGERS = 1 << 30
"""Of a tensor, of all samples: the kernel takes no more."""


def encode_tensor(public: PublicTensor, values: IntArray) -> bytes:
    """The encoding of integers in the tensor's range, in row-major order; ValueError for any outside it."""
    return encode_integers(values.reshape(-1), public.lo, public.hi)


def most_bytes(public: PublicTensor, batch: int) -> int:
    """Bytes that no encoding for `batch` samples exceeds."""
    return most_integer_bytes(batch * prod(public.shape), public.lo, public.hi)


def decode_tensor(public: PublicTensor, batch: int, encoding: bytes) -> PublicIntegers:
    """The integers of `batch` samples.

    Raises VerificationError for another number of them, for one out of range, and for another encoding than
    that of `encode_tensor`.
    """
    with checking(public.name):
        data = decode_integers(encoding, batch * prod(public.shape), public.lo, public.hi)
    return PublicIntegers(public, batch, data)


@dataclass(frozen=True)
class PublicIntegers:
    """Integers of `batch` samples; `data` has them in row-major order, signed, with 4 bytes each."""

    public: PublicTensor
    batch: int
    data: bytes

    @property
    def vector(self) -> BaseVector:
        """The field elements that they stand for."""
        return BaseVector.from_signed(self.data)

    @property
    def array(self) -> IntArray:
        """They themselves, int64 [batch, *shape]."""
        import numpy as np

        values = np.frombuffer(self.data, dtype=f"<i{INTEGER_BYTES}").astype(np.int64)
        return values.reshape(self.batch, *self.public.shape)

    @property
    def flat(self) -> list[int]:
        """They themselves, in row-major order, without numpy."""
        return list(struct.unpack(f"<{len(self.data) // INTEGER_BYTES}i", self.data))

    @property
    def real(self) -> FloatArray:
        """The real values that they stand for, float64 [batch, *shape]."""
        return self.public.scale.array * self.array

    @property
    def real_lists(self) -> list[Any]:
        """The same numbers as `real.tolist()`, without numpy."""
        shape = self.public.shape
        scales = self.public.scale.expanded(shape) * self.batch
        real: Sequence[Any] = [scale * number for scale, number in zip(scales, self.flat, strict=True)]
        for size in reversed(shape):
            real = [real[start : start + size] for start in range(0, len(real), size)]
        return list(real)
