"""The opening's schedule: which codes are committed, how they are folded, how often each is queried.

Two matrices (weights, witness) with the same 2^log_rows rows are encoded by one Reed-Solomon code. Binding
the column bits leaves f', 2^log_rows extension values. WHIR (eprint 2024/1586) commits f' again, as a matrix
of 2^log_columns columns at a lower rate, and folds it. So it goes on until 2^final_log values are sent in
clear.

Every code of length n is queried at indices in [0, n), also where 2^t of its rows share a Merkle leaf. Then
index j is in leaf j mod (n / 2^t), at position j div (n / 2^t).
"""

from __future__ import annotations

from collections.abc import Iterator

from deepprove_dist.canonical import Record
from deepprove_dist.errors import SecurityError

TWO_ADICITY = 24
"""log2 of the largest multiplicative subgroup of KoalaBear whose order is a power of two."""

SECURITY_LEVELS = (100, 128)
"""Bits that the sum of all errors may be required to reach; the first is the default."""

DEFAULT_SECURITY_BITS = SECURITY_LEVELS[0]

MAX_COLUMNS = 1 << 20
MAX_QUERIES = 1024
MAX_FINAL_LOG = 16


class InitialCode(Record, frozen=True):
    """The code of both committed matrices, over the base field; one Merkle tree for each matrix.

    `weight_columns` is 0 where the weights are public. In each tree 2^log_group codeword rows share a leaf.
    `queries` is the number of indices drawn, with replacement, the same ones for both trees.

    Raises SecurityError where a field is out of its range.
    """

    log_rows: int
    weight_columns: int
    witness_columns: int
    log_inverse_rate: int
    weight_log_group: int
    witness_log_group: int
    queries: int

    def __post_init__(self) -> None:
        _check_code(self)
        _check_range("weight_columns", self.weight_columns, 0, MAX_COLUMNS)
        _check_range("witness_columns", self.witness_columns, 1, MAX_COLUMNS)
        _check_range("weight_log_group", self.weight_log_group, 0, self.log_length)
        _check_range("witness_log_group", self.witness_log_group, 0, self.log_length)

    @property
    def columns(self) -> int:
        """Columns of both matrices together."""
        return self.weight_columns + self.witness_columns

    @property
    def column_rounds(self) -> int:
        """Sumcheck rounds that bind the column bits: ceil(log2 columns)."""
        return (self.columns - 1).bit_length()

    @property
    def log_length(self) -> int:
        """log2 of the codeword length n."""
        return self.log_rows + self.log_inverse_rate

    @property
    def trees(self) -> tuple[tuple[int, int], ...]:
        """(columns, log_group) of each tree that exists, weights first."""
        trees = (
            (self.weight_columns, self.weight_log_group),
            (self.witness_columns, self.witness_log_group),
        )
        return tuple(tree for tree in trees if tree[0] > 0)


class Code(Record, frozen=True):
    """The code of a folded vector: 2^log_rows rows of 2^log_columns extension values, a row a leaf.

    Rows are never grouped: a row of two or more extension values is wider than the digest that a group saves.

    Raises SecurityError where a field is out of its range.
    """

    log_rows: int
    log_columns: int
    log_inverse_rate: int
    queries: int

    def __post_init__(self) -> None:
        _check_code(self)
        _check_range("log_columns", self.log_columns, 1, TWO_ADICITY)

    @property
    def column_rounds(self) -> int:
        """Sumcheck rounds that bind the column bits."""
        return self.log_columns

    @property
    def log_length(self) -> int:
        """log2 of the codeword length n."""
        return self.log_rows + self.log_inverse_rate


class Schedule(Record, frozen=True):
    """The whole opening: the initial code, then a code for each WHIR round (none for a tiny model).

    `security_bits` is the level that all errors together are required to reach.

    Raises SecurityError where a round does not commit exactly the vector that the one before it leaves.
    Raises it also for a level that there is not.
    """

    initial: InitialCode
    rounds: tuple[Code, ...]
    security_bits: int = DEFAULT_SECURITY_BITS

    def __post_init__(self) -> None:
        if type(self.security_bits) is not int or self.security_bits not in SECURITY_LEVELS:
            raise SecurityError(f"security levels are {SECURITY_LEVELS}, not {self.security_bits!r}")
        log_values = self.initial.log_rows
        for index, code in enumerate(self.rounds):
            if code.log_rows + code.log_columns != log_values:
                raise SecurityError(
                    f"round {index} commits 2^{code.log_rows + code.log_columns} values, "
                    f"but 2^{log_values} are left"
                )
            log_values = code.log_rows
        _check_range("final_log", log_values, 1, MAX_FINAL_LOG)

    @property
    def final_log(self) -> int:
        """log2 of the number of extension values that are sent in clear."""
        return self.codes[-1].log_rows

    @property
    def codes(self) -> tuple[InitialCode | Code, ...]:
        """All codes in the order in which they are committed."""
        return (self.initial, *self.rounds)

    def transitions(self) -> Iterator[tuple[InitialCode | Code, Code]]:
        """Each round's code after the code that is queried in that round."""
        return zip(self.codes, self.rounds, strict=False)


def _check_code(code: InitialCode | Code) -> None:
    # Row counts of one are left out: the theorems on proximity are stated for positive degrees.
    _check_range("log_rows", code.log_rows, 1, TWO_ADICITY)
    _check_range("log_inverse_rate", code.log_inverse_rate, 1, TWO_ADICITY)
    _check_range("queries", code.queries, 1, MAX_QUERIES)
    _check_range("log_rows + log_inverse_rate", code.log_length, 2, TWO_ADICITY)


def _check_range(name: str, value: int, low: int, high: int) -> None:
    # The type is tested because a key is read from a file: True and 3.0 must not pass for integers.
    if type(value) is not int or not low <= value <= high:
        raise SecurityError(f"{name} must be an integer from {low} to {high}, not {value!r}")
