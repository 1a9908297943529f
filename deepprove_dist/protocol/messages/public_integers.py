"""The integers of an input or output, as the bytes in which a statement has them.

An integer of a tensor with range [lo, hi] is encoded as value - lo, unsigned and little endian. It takes 1, 2
or 4 bytes, whichever first holds hi - lo. A verifier compares these bytes and binds them by kernels. Arrays
are made where somebody asks for them: numpy alone takes longer to load than a proof to check.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.kernels import BaseVector
from deepprove_dist.protocol.system.system import PublicTensor

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODES = {1: "B", 2: "H", 4: "I"}


def integer_bytes(public: PublicTensor) -> int:
    """Bytes of each integer of a tensor."""
    span = public.hi - public.lo
    return 1 if span < 1 << 8 else 2 if span < 1 << 16 else 4


@dataclass(frozen=True)
class PublicIntegers:
    """Integers of `batch` samples, in the tensor's range; `data` has them in row-major order."""

    public: PublicTensor
    batch: int
    data: bytes

    @property
    def vector(self) -> BaseVector:
        """The field elements that they stand for."""
        return BaseVector.from_unsigned(self.data, integer_bytes(self.public), self.public.lo)

    @property
    def array(self) -> IntArray:
        """They themselves, int64 [batch, *shape]."""
        import numpy as np

        values = np.frombuffer(self.data, dtype=f"<u{integer_bytes(self.public)}").astype(np.int64)
        return (values + self.public.lo).reshape(self.batch, *self.public.shape)

    @property
    def flat(self) -> list[int]:
        """They themselves, in row-major order, without numpy."""
        width = integer_bytes(self.public)
        numbers = struct.unpack(f"<{len(self.data) // width}{_CODES[width]}", self.data)
        return [number + self.public.lo for number in numbers]

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
