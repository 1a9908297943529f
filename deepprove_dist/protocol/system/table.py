"""Functions on a contiguous range of integers, stored as linear pieces.

A table is the graph {(q, T(q)) : first <= q < first + size} that a lookup argument checks pairs against.
Clamps, ReLU and identity have two or three pieces. A verifier evaluates their multilinear extension in closed
form. Any other function is still exact, with more pieces. The kernels hold them, and files have their bytes,
about three a piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from deepprove_dist.arrays import IntArray
from deepprove_dist.canonical import Record
from deepprove_dist.errors import ModelError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.kernels import LinearPieces

Interval = tuple[int, int]

MAX_TABLE_SIZE = 2**24
"""A committed column has at most 2^24 rows (the field's two-adicity), and so has a column of multiplicities.
"""


class Table(Record, frozen=True, dict=True):
    """A piecewise linear function T on [first, first + size).

    The pieces are the canonical ones: each extends as far as a line through its first two values reaches. So
    equal functions are equal tables.

    Raises ModelError where an argument does not fit the field.
    """

    first: int
    pieces: LinearPieces

    def __post_init__(self) -> None:
        if max(abs(self.first), abs(self.first + self.size - 1)) > LARGEST_SIGNED:
            raise ModelError(f"a table's arguments lie within +-{LARGEST_SIGNED}")

    @classmethod
    def from_values(cls, first: int, values: Sequence[int] | IntArray) -> Table:
        """The table with T(first + i) = values[i], for ``values`` of shape [size].

        Raises ModelError for values of another rank, for none or too many, and for one beyond the field.
        """
        import numpy as np

        array = np.ascontiguousarray(values, dtype=np.int64)
        if array.ndim != 1 or not 1 <= array.size <= MAX_TABLE_SIZE:
            raise ModelError(f"a table is made of 1 to {MAX_TABLE_SIZE} values")
        try:
            return cls(first, LinearPieces.from_values(array))
        except ValueError as error:
            raise ModelError(str(error)) from error

    @property
    def size(self) -> int:
        """The number of its arguments."""
        return self.pieces.size

    def values(self) -> IntArray:
        """All values, int64 [size], in the order of the domain."""
        return self.pieces.values()

    def interval(self) -> Interval:
        """Smallest and largest value."""
        return self.pieces.interval

    def apply(self, arguments: IntArray) -> IntArray:
        """T at each argument, int64 of the same shape. Raises ModelError for one outside the domain."""
        import numpy as np

        offsets = np.asarray(arguments, dtype=np.int64) - self.first
        if offsets.size and not (int(offsets.min()) >= 0 and int(offsets.max()) < self.size):
            raise ModelError(
                f"a table on [{self.first}, {self.first + self.size}) was asked for a value outside"
            )
        result: IntArray = self._values.take(offsets)
        return result

    @cached_property
    def _values(self) -> IntArray:
        # Kept: inference looks things up in it for each sample.
        return self.values()
