"""Functions on a contiguous range of integers, stored as linear pieces.

A table is the graph {(q, T(q)) : first <= q < first + size} that a lookup argument checks pairs against.
Clamps, ReLU and identity have two or three pieces. A verifier evaluates their multilinear extension in closed
form. Any other function is still exact, with more pieces.
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


class Piece(Record, frozen=True):
    """Value ``value + slope * (i - start)`` at the offsets i from ``start`` to the next piece."""

    start: int
    value: int
    slope: int


class Table(Record, frozen=True, dict=True):
    """A piecewise linear function T on [first, first + size).

    The pieces are the canonical ones: each extends as far as a line through its first two values reaches. So
    equal functions are equal tables.

    Raises ModelError where the pieces are not canonical, or a value does not fit the field.
    """

    first: int
    size: int
    pieces: tuple[Piece, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MAX_TABLE_SIZE:
            raise ModelError(f"a table has 1 to {MAX_TABLE_SIZE} entries, not {self.size}")
        if not self.pieces or self.pieces[0].start != 0 or self.pieces[-1].start >= self.size:
            raise ModelError("a table's pieces start at offset 0 and end within its domain")
        ends = self._ends()
        extremes = [self.first, self.first + self.size - 1]
        for piece, end in zip(self.pieces, ends, strict=True):
            if end <= piece.start:
                raise ModelError("a table's pieces stand in increasing order")
            extremes += [piece.value, _at(piece, end - 1)]
        if max(map(abs, extremes)) > LARGEST_SIGNED:
            raise ModelError(f"a table's arguments and values lie within +-{LARGEST_SIGNED}")
        for piece, following in zip(self.pieces, self.pieces[1:], strict=False):
            if following.start == piece.start + 1 or _at(piece, following.start) == following.value:
                raise ModelError("a table's pieces are not as long as they can be")
        if self.pieces[-1].start == self.size - 1 and self.pieces[-1].slope != 0:
            raise ModelError("a table's last piece has a slope but a single value")

    @classmethod
    def from_values(cls, first: int, values: Sequence[int] | IntArray) -> Table:
        """The table with T(first + i) = values[i], for ``values`` of shape [size].

        Raises ModelError for values of another rank, and for none or too many of them.
        """
        import numpy as np

        array = np.asarray(values, dtype=np.int64)
        if array.ndim != 1 or not 1 <= array.size <= MAX_TABLE_SIZE:
            raise ModelError(f"a table is made of 1 to {MAX_TABLE_SIZE} values")
        slopes = np.diff(array)
        bends = np.flatnonzero(np.diff(slopes)) + 1
        pieces = []
        start = 0
        while start < array.size:
            slope = int(slopes[start]) if start < slopes.size else 0
            pieces.append(Piece(start, int(array[start]), slope))
            # The line of the piece ends at the first bend after its first step; its end point belongs to it.
            following = np.searchsorted(bends, start, side="right")
            start = int(bends[following]) + 1 if following < bends.size else array.size
        return cls(first, int(array.size), tuple(pieces))

    def values(self) -> IntArray:
        """All values, int64 [size], in the order of the domain."""
        return self._values.copy()

    def interval(self) -> Interval:
        """Smallest and largest value."""
        return self._interval

    @cached_property
    def linear_pieces(self) -> LinearPieces:
        """The kernels' form of the pieces."""
        return LinearPieces([(piece.start, piece.value, piece.slope) for piece in self.pieces])

    @cached_property
    def _interval(self) -> Interval:
        # Kept: a key may look things up in one table many times.
        corners = [piece.value for piece in self.pieces]
        corners += [_at(piece, end - 1) for piece, end in zip(self.pieces, self._ends(), strict=True)]
        return min(corners), max(corners)

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
        import numpy as np

        ends = np.array(self._ends())
        starts = np.array([piece.start for piece in self.pieces])
        index = np.repeat(np.arange(len(self.pieces)), ends - starts)
        values = np.array([piece.value for piece in self.pieces])
        slopes = np.array([piece.slope for piece in self.pieces])
        result: IntArray = values[index] + slopes[index] * (np.arange(self.size) - starts[index])
        return result

    def _ends(self) -> list[int]:
        return [piece.start for piece in self.pieces[1:]] + [self.size]


def _at(piece: Piece, offset: int) -> int:
    return piece.value + piece.slope * (offset - piece.start)
