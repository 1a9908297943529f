"""The opening's schedule: which codes are committed, how they are folded, how often each is queried.

All matrices (weights, witness) have the same 2^log_rows rows and are encoded by one Reed-Solomon code: see
`initial_code`. Binding the column bits leaves f', 2^log_rows extension values. WHIR (eprint 2024/1586)
commits f' again, as a matrix of 2^log_columns columns at a lower rate, and folds it. So it goes on until
2^final_log values are sent in clear.

Every code of length n is queried at indices in [0, n), also where 2^t of its rows share a Merkle leaf. Then
index j is in leaf j mod (n / 2^t), at position j div (n / 2^t).
"""

from __future__ import annotations

from collections.abc import Iterator

from deepprove_dist.canonical import Record
from deepprove_dist.errors import SecurityError

from .initial_code import InitialCode
from .matrix_code import TWO_ADICITY, check_code, check_range

SECURITY_LEVELS = (100, 128)
"""Bits that the sum of all errors may be required to reach; the first is the default."""

DEFAULT_SECURITY_BITS = SECURITY_LEVELS[0]

MAX_FINAL_LOG = 16


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
        check_code(self.log_rows, self.log_inverse_rate, self.queries)
        check_range("log_columns", self.log_columns, 1, TWO_ADICITY)

    @property
    def column_rounds(self) -> int:
        """Sumcheck rounds that bind the column bits."""
        return self.log_columns

    @property
    def folds(self) -> int:
        """Challenges that fold two words of this length into one."""
        return self.log_columns

    @property
    def log_length(self) -> int:
        """log2 of the codeword length n."""
        return self.log_rows + self.log_inverse_rate

    @property
    def rate_log2(self) -> float:
        """log2 of the rows over the length."""
        return -float(self.log_inverse_rate)


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
        check_range("final_log", log_values, 1, MAX_FINAL_LOG)

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
