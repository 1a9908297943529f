"""Functions on a contiguous range of integers, stored as linear pieces.

A table is the graph {(q, T(q)) : first <= q < first + size} that a lookup argument checks pairs against.
Clamps, ReLU and identity have two or three pieces. A verifier evaluates their multilinear extension in closed
form. Any other function is still exact, with more pieces. The kernels hold them, and files have their bytes,
about three a piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from deepprove_dist.arrays import IntArray
from deepprove_dist.canonical import Record
from deepprove_dist.errors import ModelError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.kernels import LinearPieces, rescale_into

if TYPE_CHECKING:
    from deepprove_dist.narrow_integers import Integers

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

    def apply(self, arguments: IntArray, shift: int = 0) -> IntArray:
        """T at each argument over 2^shift, rounded, halves up: int64 of the same shape.

        Raises ModelError for one outside the domain.
        """
        import numpy as np

        result = np.empty(np.shape(arguments), dtype=np.int64)
        self.rescale(np.ascontiguousarray(arguments).reshape(-1), shift, result.reshape(-1))
        return result

    def rescale(
        self,
        values: Integers,
        shift: int,
        result: Integers,
        widths: Sequence[int] = (),
        columns: Sequence[Integers] = (),
    ) -> None:
        """Writes T at each value [n] over 2^shift, as `apply` does, of integers of any width.

        With ``columns`` [n] it also writes these quotients, and the limbs of the remainders of these widths.

        Raises ModelError for a quotient outside the domain.
        """
        if not rescale_into(values, shift, self.first, self._values, self._line, result, widths, columns):
            raise ModelError(
                f"a table on [{self.first}, {self.first + self.size}) was asked for a value outside"
            )

    @cached_property
    def _line(self) -> tuple[int, int, int] | None:
        """Offset, least and largest value of a line of slope 1 that is cut at both ends; None of others."""
        if len(self.pieces) > 3:
            return None
        rows = self.pieces.rows()
        slopes = [slope for _, _, slope in rows]
        if slopes.count(1) != 1 or slopes.count(0) != len(slopes) - 1:
            return None
        (start, value, _), lowest, highest = rows[slopes.index(1)], *self.interval()
        offset = value - start - self.first
        before, after = rows[: slopes.index(1)], rows[slopes.index(1) + 1 :]
        joined = all(value == lowest and offset + self.first + start - 1 <= lowest for _, value, _ in before)
        joined &= all(value == highest and offset + self.first + at >= highest for at, value, _ in after)
        return (offset, lowest, highest) if joined and len(before) < 2 and len(after) < 2 else None

    @cached_property
    def _values(self) -> IntArray:
        import numpy as np

        # Kept: inference looks things up in it for each sample. Of a line nothing but the size is read.
        return self.values() if self._line is None else np.empty(self.size, dtype=np.int64)
