"""Sums of products of small weights and values of 16 bits, by a kernel: several times as fast as float64.

The kernel's sums are those modulo 2^32, so they are exact where they fit 32 bits. They do where the largest
sum of a row's weights, times the largest value, does. Else float64 computes them, which is exact too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.kernels import IntegerWeights, multiply_weights, narrowed
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.window import Window

Offsets: TypeAlias = npt.NDArray[np.uint32]
SmallIntegers: TypeAlias = npt.NDArray[np.int16]

MODULUS = 2**32
LARGEST = 2**31 - 1
"""Weights have 32 bits."""
FEW_ROWS = 4
"""Rows of an input for which packed weights bring nothing."""
SHAPES = 256
"""Layers whose offsets are remembered."""


class PackedWeights(np.ndarray[Any, np.dtype[Any]]):
    """Weights [groups * rows, ...] with what the kernel reads of them in ``kernel``."""

    kernel: IntegerWeights

    @classmethod
    def of(cls, weight: Integers, groups: int = 1) -> PackedWeights | None:
        """Weights packed; None where one is too large."""
        if weight.dtype.itemsize > 4 and np.abs(weight).max(initial=0) > LARGEST:
            return None
        # A mapped file may hold them at any address.
        weight = np.require(weight, requirements=["ALIGNED"])
        packed = weight.view(cls)
        packed.kernel = IntegerWeights(
            groups, len(weight) // groups, np.ascontiguousarray(weight).reshape(-1)
        )
        return packed

    def takes(self, largest: int) -> bool:
        """Whether all sums with values up to this magnitude are exact."""
        return 2 * self.kernel.largest * largest < MODULUS


@dataclass(frozen=True)
class SmallConvolution:
    """A convolution of values of 16 bits: a source for each sample, and where its sums read it."""

    weight: PackedWeights
    biases: IntArray
    sources: SmallIntegers
    taps: Offsets
    group_step: int
    columns: Offsets
    sum_type: type[np.signedinteger[Any]]

    @classmethod
    def of(
        cls, images: Integers, weight: npt.NDArray[Any], bias: Sequence[npt.NDArray[Any]], window: Window
    ) -> SmallConvolution | None:
        """Of images [N, C, *spatial], weights [M, C / groups, *kernel] and a bias, if any.

        None where sums might not fit.
        """
        if not isinstance(weight, PackedWeights):
            return None
        small = narrowed(np.ascontiguousarray(images).reshape(-1))
        if small is None or not weight.takes(small[1]):
            return None
        padded = window.padded_values(small[0].reshape(images.shape), 0)
        taps, columns = _offsets(window, weight.shape[1], padded.shape[2:])
        biases = bias[0].astype(np.int64) if bias else np.zeros(len(weight), np.int64)
        step = weight.shape[1] * prod(padded.shape[2:])
        largest = weight.kernel.largest * small[1] + int(np.abs(biases).max())
        kind = np.int32 if 2 * largest < MODULUS else np.int64
        return cls(weight, biases, padded.reshape(len(padded), -1), taps, step, columns, kind)

    def write(self, sums: Integers, first: int, end: int) -> None:
        """Writes some rows of positions of the sums [N, M, *positions]."""
        columns = self.columns[first:end]
        row = columns.shape[1]
        for source, target in zip(self.sources, sums.reshape(*sums.shape[:2], -1), strict=True):
            part = target[:, first * row : end * row]
            self.weight.kernel.multiply(
                source, self.taps, self.group_step, columns.reshape(-1), self.biases, part
            )


def small_rows(rows: Integers, weight: npt.NDArray[Any]) -> IntArray | None:
    """The products of rows [R, K] and weights [N, K], as [R, N]; None where floats have to compute them."""
    plain, packed = weight.dtype == np.int16, isinstance(weight, PackedWeights)
    small = narrowed(rows.reshape(-1)) if plain or packed else None
    if small is None:
        return None
    if plain and (len(rows) <= FEW_ROWS or not packed):
        values, weights = small[0].reshape(rows.shape), weight.view(np.ndarray)
        return np.ascontiguousarray(multiply_weights(weights, values).T)
    if not isinstance(weight, PackedWeights) or not weight.takes(small[1]):
        return None
    count, width = rows.shape
    sums = np.empty((len(weight), count), dtype=np.int64)
    taps, columns = np.arange(width, dtype=np.uint32), np.arange(count, dtype=np.uint32) * np.uint32(width)
    weight.kernel.multiply(small[0], taps, 0, columns, np.zeros(len(weight), np.int64), sums)
    return np.ascontiguousarray(sums.T)


@lru_cache(SHAPES)
def _offsets(window: Window, channels: int, padded: Shape) -> tuple[Offsets, Offsets]:
    """Offsets of the taps [channels * kernel] and of the positions, by rows, in a padded image."""
    steps = np.cumprod((1, *padded[::-1]))[::-1]
    taps, columns = np.arange(channels) * steps[0], np.zeros(1, dtype=np.int64)
    for axis, step in enumerate(steps[1:]):
        within = np.arange(window.kernel[axis]) * window.dilations[axis] * step
        room = padded[axis] - window.extents[axis]
        starts = np.arange(room // window.strides[axis] + 1) * window.strides[axis] * step
        taps = (taps[:, None] + within).reshape(-1)
        columns = (columns[:, None] + starts).reshape(-1)
    rows = (padded[0] - window.extents[0]) // window.strides[0] + 1 if padded else 1
    return taps.astype(np.uint32), columns.reshape(rows, -1).astype(np.uint32)
