"""The code of all committed matrices of a proof: their columns, their trees, and the rows that hide them.

A transparent code has 2^log_rows rows of data. A hiding one has `random_rows` further ones in each column of
the witness, and `mask_columns` further columns in the witness's tree. The last `tail` rows of a column of
weights, or of a hidden input or output, are random, among the 2^log_rows. See docs/zero-knowledge.md.
"""

from __future__ import annotations

from itertools import pairwise
from math import log2

from deepprove_dist.canonical import Record
from deepprove_dist.errors import SecurityError

from .matrix_code import (
    MASK_COLUMNS,
    MATRICES,
    MAX_COLUMNS,
    MAX_HIDDEN,
    MatrixCode,
    check_code,
    check_range,
)

LOG_TAIL_STEPS = 4
"""A tail is a multiple of 2^(log_rows - LOG_TAIL_STEPS) rows."""

UNUSED_TAIL_ROWS = 10
"""Five rows cover the answer that a key holds; five more keep unopened leaves uniform."""

CERTIFICATES = 8
"""Certificates of as many queries as a proof's that are set aside: one as a new root, seven as an old one."""


class InitialCode(Record, frozen=True):
    """The code of all committed matrices, over the base field; one Merkle tree for each matrix.

    `matrices` are those that exist, in the order of `MATRICES`. There are no weights where they are public.
    There is one hidden matrix for each hidden input and output.
    `queries` is the number of indices drawn, with replacement, the same ones for all trees.

    Raises SecurityError where a field is out of its range, or a hiding code does not hide.
    """

    log_rows: int
    log_inverse_rate: int
    queries: int
    matrices: tuple[MatrixCode, ...]
    hiding: bool = False

    def __post_init__(self) -> None:
        check_code(self.log_rows, self.log_inverse_rate, self.queries)
        if type(self.hiding) is not bool:
            raise SecurityError(f"hiding is true or false, not {self.hiding!r}")
        order = [MATRICES.index(code.matrix) for code in self.matrices]
        several = MATRICES.index("hidden")
        sorted_order = all(a < b or a == b == several for a, b in pairwise(order))
        if order[-1:] != [MATRICES.index("witness")] or not sorted_order:
            raise SecurityError(f"matrices come in the order of {MATRICES}, one of a kind, a witness last")
        check_range("columns", self.columns, 1, MAX_COLUMNS)
        for code in self.matrices:
            check_range(f"log_group of {code.matrix}", code.log_group, 0, self.log_length)
            self._check_tail(code)
        if self.hiding:
            self._check_hiding()

    def _check_tail(self, code: MatrixCode) -> None:
        has_tail = self.hiding and code.matrix != "witness" and self.log_rows >= LOG_TAIL_STEPS
        check_range(f"tail of {code.matrix}", code.tail, 0, (1 << self.log_rows) - 1 if has_tail else 0)
        if code.tail << LOG_TAIL_STEPS & (1 << self.log_rows) - 1:
            step = f"2^{self.log_rows - LOG_TAIL_STEPS}"
            raise SecurityError(f"tail of {code.matrix} must be a multiple of {step}, not {code.tail}")

        if code.matrix == "hidden":
            least = UNUSED_TAIL_ROWS + self.rows_of_proof
            check_range("tail of a hidden tensor", code.tail, least, (1 << self.log_rows) - 1)

    def _check_hiding(self) -> None:
        check_range("number of hidden tensors", len(self.hidden), 0, MAX_HIDDEN)
        for code in self.matrices:
            check_range(f"columns of hidden {code.matrix}", code.columns, MASK_COLUMNS, MAX_COLUMNS)
        if self.witness_columns <= self.column_rounds:
            raise SecurityError(
                f"a hidden witness has more columns than the {self.column_rounds} column rounds, "
                f"not {self.witness_columns}"
            )
        if self.dimension >= 1 << self.log_length:
            raise SecurityError(f"{self.dimension} rows do not fit a code of length 2^{self.log_length}")

    @property
    def weight_columns(self) -> int:
        """Columns of the weights; 0 where they are public."""
        return self._columns("weights")

    @property
    def witness_columns(self) -> int:
        """Columns of the witness, without mask columns: C_X."""
        return self._columns("witness")

    @property
    def weight_log_group(self) -> int:
        """log2 of the rows in a leaf of the weights' tree, t_W; 0 where there is none."""
        return self._log_group("weights")

    @property
    def witness_log_group(self) -> int:
        """log2 of the rows in a leaf of the witness's tree: t_X."""
        return self._log_group("witness")

    @property
    def columns(self) -> int:
        """Columns of all matrices together, without mask columns."""
        return sum(code.columns for code in self.matrices)

    @property
    def column_rounds(self) -> int:
        """Sumcheck rounds that bind the column bits, k0: ceil(log2 columns)."""
        return (self.columns - 1).bit_length()

    @property
    def folds(self) -> int:
        """Challenges that fold two words of this length into one: of the rounds, and of the mask vector."""
        return self.column_rounds + self.hiding

    @property
    def log_length(self) -> int:
        """log2 of the codeword length n."""
        return self.log_rows + self.log_inverse_rate

    @property
    def mask_columns(self) -> int:
        """Columns of the mask vector, the last of the witness's tree."""
        return MASK_COLUMNS if self.hiding else 0

    @property
    def mask_rows(self) -> int:
        """Random rows that the mask claim weighs: e, the last of them."""
        return 10 * self.column_rounds + 16 if self.hiding else 0

    @property
    def random_rows(self) -> int:
        """Random rows of each witness column beyond the data: k."""
        return (self.queries << self.witness_log_group) + self.mask_rows if self.hiding else 0

    @property
    def dimension(self) -> int:
        """Coefficients of a column's polynomial: 2^log_rows + random_rows."""
        return (1 << self.log_rows) + self.random_rows

    @property
    def rate_log2(self) -> float:
        """log2 of dimension / length."""
        if not self.hiding:
            return -float(self.log_inverse_rate)
        return log2(self.dimension) - self.log_length

    @property
    def proofs(self) -> int | None:
        """How many proofs one commitment to the weights is good for: N.

        None where proofs are transparent or no weights are committed.
        """
        tails = [code.tail for code in self.matrices if code.matrix == "weights"]
        if not self.hiding or not tails:
            return None
        return max((tails[0] - UNUSED_TAIL_ROWS) // self.rows_of_proof - CERTIFICATES, 0)

    @property
    def hidden(self) -> tuple[MatrixCode, ...]:
        """The matrices of hidden inputs and outputs, one each."""
        return tuple(code for code in self.matrices if code.matrix == "hidden")

    @property
    def commitment_proofs(self) -> int | None:
        """How many proofs about one commitment to an input or output hide it, N_H; None without these."""
        tails = [code.tail for code in self.hidden]
        return (min(tails) - UNUSED_TAIL_ROWS) // self.rows_of_proof if tails else None

    @property
    def rows_of_proof(self) -> int:
        """Rows of a matrix with a tail that a proof shows at most: q 2^g, g being the largest log_group."""
        return self.queries << max(code.log_group for code in self.matrices)

    @property
    def trees(self) -> tuple[tuple[int, int], ...]:
        """(columns, log_group) of each tree, in order; the witness's has the mask columns."""
        *others, witness = self.matrices
        trees = [(code.columns, code.log_group) for code in others]
        return (*trees, (witness.columns + self.mask_columns, witness.log_group))

    def tail(self, matrix: str) -> int:
        """The last rows of each of a matrix's columns that are random and hold no tensor."""
        return sum(code.tail for code in self.matrices if code.matrix == matrix)

    def _columns(self, matrix: str) -> int:
        return sum(code.columns for code in self.matrices if code.matrix == matrix)

    def _log_group(self, matrix: str) -> int:
        return sum(code.log_group for code in self.matrices if code.matrix == matrix)
