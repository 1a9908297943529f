"""What integers stand for: real = scale * integer, with one number for a whole tensor or for each channel.

A scale has the tensor's axes, each of its size or of size 1. So it broadcasts against the tensor as numpy
arrays do. A single number has no axes.
"""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from deepprove_dist.arrays import FloatArray
from deepprove_dist.canonical import Record
from deepprove_dist.errors import FormatError

if TYPE_CHECKING:
    import numpy.typing as npt

MAX_AXES = 16
"""Of a tensor, without the samples' axis."""

SMALLEST, LARGEST = 1e-150, 1e150
"""Numbers that scale an integer: their products and quotients with numbers of 32 bits are finite."""


class Scale(Record, frozen=True, dict=True):
    """Positive numbers in row-major order of `shape`; `Scale((), (0.5,))` is one number."""

    shape: tuple[int, ...]
    values: tuple[float, ...]

    @classmethod
    def of(cls, value: float) -> Scale:
        """One number for all elements."""
        return cls((), (float(value),))

    @classmethod
    def from_array(cls, array: npt.ArrayLike) -> Scale:
        """The scale with these numbers; axes along which they do not change have size 1."""
        import numpy as np

        values = np.asarray(array, dtype=np.float64)
        for axis in range(values.ndim):
            first = values.take([0], axis=axis)
            if (values == first).all():
                values = first
        if values.size == 1:
            return cls.of(values.item())
        return cls(values.shape, tuple(values.ravel().tolist()))

    @cached_property
    def array(self) -> FloatArray:
        """The numbers, of this scale's shape; read-only."""
        import numpy as np

        array = np.array(self.values, dtype=np.float64).reshape(self.shape)
        array.flags.writeable = False
        return array

    @cached_property
    def is_single_precision(self) -> bool:
        """Whether all numbers are of single precision."""
        import numpy as np

        return bool((self.array == self.array.astype(np.float32)).all())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self.array.astype(dtype)

    def expanded(self, shape: tuple[int, ...]) -> tuple[float, ...]:
        """The numbers of all elements of a tensor, whose shape the scale fits, in row-major order."""
        if self.is_single:
            return self.values * prod(shape)
        values, block = self.values, 1
        for mine, size in zip(reversed(self.shape), reversed(shape), strict=True):
            if mine < size:
                blocks = (values[start : start + block] for start in range(0, len(values), block))
                values = tuple(value for part in blocks for value in part * size)
            block *= size
        return values

    @property
    def is_single(self) -> bool:
        """Whether one number stands for all elements."""
        return not self.shape

    @property
    def number(self) -> float:
        """The number of a scale that has one only."""
        (value,) = self.values
        return value

    def varies_along(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The axes of a tensor of this shape along which the scale changes."""
        return tuple(axis for axis in range(len(shape)) if not self.is_single and self.shape[axis] > 1)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether it is a scale, of allowed numbers, for tensors of this shape."""
        # Shapes come from files: numpy has arrays of so many axes only, and takes -1 for an unknown size.
        axes = self.is_single or (
            len(self.shape) == len(shape) <= MAX_AXES
            and all(mine in (1, size) and mine > 0 for mine, size in zip(self.shape, shape, strict=True))
        )
        return (
            axes
            and prod(self.shape) == len(self.values)
            and all(SMALLEST <= value <= LARGEST for value in self.values)
        )

    def require(self, shape: tuple[int, ...], name: str) -> None:
        """Raises FormatError, naming the tensor, where it does not fit this shape, or is not canonical."""
        if not (self.fits(shape) and (self.is_single or self == Scale.from_array(self.array))):
            raise FormatError(
                f"'{name}' has a scale that is not from {SMALLEST:g} to {LARGEST:g}, or not of its shape"
            )

    def __str__(self) -> str:
        if self.is_single:
            return f"{self.number:g}"
        return f"{min(self.values):g} to {max(self.values):g}, by channel"
