"""The initial code that holds a model's values: its columns, and in a hiding key its tails.

A hiding key's weights have the least tail that is good for so many proofs. Its matrices have five columns at
least, and the witness more than there are column rounds.
"""

from __future__ import annotations

from dataclasses import dataclass

from deepprove_dist.errors import SecurityError

from .initial_code import CERTIFICATES, LOG_TAIL_STEPS, UNUSED_TAIL_ROWS, InitialCode
from .matrix_code import MASK_COLUMNS, MatrixCode

MAX_SEARCH_COLUMNS = 1024


@dataclass(frozen=True)
class Sizes:
    """Committed base-field values; no weights are public ones.

    `proofs` is how many one commitment to the weights has to be good for, where proofs are hiding, else 0.
    """

    weight_values: int
    witness_values: int
    hiding: bool = False
    proofs: int = 0

    def code(
        self, log_rows: int, log_inverse_rate: int, queries: int, groups: tuple[int, int] = (0, 0)
    ) -> InitialCode | None:
        """The code of so many rows and queries, with as few columns as hold the values.

        `groups` are log_group of weights and witness. None where no such code holds the values. Then the tail
        leaves no rows, or random rows do not fit, or there are more than MAX_SEARCH_COLUMNS.
        """
        rows, fewest = 1 << log_rows, MASK_COLUMNS if self.hiding else 1
        tail = self._tail(log_rows, queries << max(groups)) if self.weight_values else 0
        if tail >= rows:
            return None
        weights = max(-(-self.weight_values // (rows - tail)), fewest) if self.weight_values else 0
        witness = max(-(-self.witness_values // rows), fewest)
        while self.hiding and witness <= (weights + witness - 1).bit_length():
            witness += 1
        if weights + witness > MAX_SEARCH_COLUMNS:
            return None
        matrices = [MatrixCode("witness", witness, groups[1])]
        if weights:
            matrices.insert(0, MatrixCode("weights", weights, groups[0], tail))
        try:
            return InitialCode(log_rows, log_inverse_rate, queries, tuple(matrices), self.hiding)
        except SecurityError:
            return None

    def with_queries(self, code: InitialCode, queries: int) -> InitialCode | None:
        """A code of these sizes with another number of queries, or None; see `code`."""
        groups = code.weight_log_group, code.witness_log_group
        return self.code(code.log_rows, code.log_inverse_rate, queries, groups)

    def _tail(self, log_rows: int, rows_of_proof: int) -> int:
        """The least tail for all proofs; it may be longer than a column."""
        if not self.hiding:
            return 0
        step = max(1 << log_rows >> LOG_TAIL_STEPS, 1)
        rows = UNUSED_TAIL_ROWS + (self.proofs + CERTIFICATES) * rows_of_proof
        return -(-rows // step) * step
