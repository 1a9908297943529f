"""A committed matrix in the initial code, and the ranges that all codes have."""

from __future__ import annotations

from deepprove_dist.canonical import Record
from deepprove_dist.errors import SecurityError

TWO_ADICITY = 24
"""log2 of the largest multiplicative subgroup of KoalaBear whose order is a power of two."""

MAX_COLUMNS = 1 << 20
MAX_QUERIES = 1024

MATRICES = ("anchor", "weights", "hidden", "witness")
"""The kinds of committed matrices, in the order of addresses and trees; the witness is the last.

An anchor, the weights of an older epoch, is in certificates alone.
"""

MAX_HIDDEN = 16
"""Hidden inputs and outputs, each a matrix of the kind "hidden"."""

MASK_COLUMNS = 5
"""Coordinates of the mask vector over the base field; also the fewest columns of a hidden matrix."""


class MatrixCode(Record, frozen=True):
    """A committed matrix: its columns, and its tree of 2^log_group rows a leaf.

    `columns` are those in the cube of columns, so mask columns are none of them. The last `tail` of the rows
    of data are random in each column and hold no tensor.

    Raises SecurityError where a field is out of its range.
    """

    matrix: str
    columns: int
    log_group: int
    tail: int = 0

    def __post_init__(self) -> None:
        if self.matrix not in MATRICES:
            raise SecurityError(f"matrices are {MATRICES}, not {self.matrix!r}")
        check_range(f"columns of {self.matrix}", self.columns, 1, MAX_COLUMNS)
        check_range(f"log_group of {self.matrix}", self.log_group, 0, TWO_ADICITY)
        check_range(f"tail of {self.matrix}", self.tail, 0, (1 << TWO_ADICITY) - 1)


def check_code(log_rows: int, log_inverse_rate: int, queries: int) -> None:
    """The ranges of what all codes have. Raises SecurityError."""
    # Row counts of one are left out: the theorems on proximity are stated for positive degrees.
    check_range("log_rows", log_rows, 1, TWO_ADICITY)
    check_range("log_inverse_rate", log_inverse_rate, 1, TWO_ADICITY)
    check_range("queries", queries, 1, MAX_QUERIES)
    check_range("log_rows + log_inverse_rate", log_rows + log_inverse_rate, 2, TWO_ADICITY)


def check_range(name: str, value: int, low: int, high: int) -> None:
    """Raises SecurityError where a value is no integer from low to high."""
    # The type is tested because a key is read from a file: True and 3.0 must not pass for integers.
    if type(value) is not int or not low <= value <= high:
        raise SecurityError(f"{name} must be an integer from {low} to {high}, not {value!r}")
