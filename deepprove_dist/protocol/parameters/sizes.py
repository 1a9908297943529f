"""The initial code that holds a model's values: its columns, and in a hiding key its tails.

A hiding key's weights have the least tail that is good for so many proofs. So have hidden inputs and outputs.
Its matrices have five columns at least, and the witness more than there are column rounds.
"""

from __future__ import annotations

from dataclasses import dataclass

from deepprove_dist.errors import SecurityError

from .initial_code import CERTIFICATES, LOG_TAIL_STEPS, UNUSED_TAIL_ROWS, InitialCode
from .matrix_code import MASK_COLUMNS, MatrixCode

MAX_SEARCH_COLUMNS = 1024


@dataclass(frozen=True)
class Sizes:
    """Committed base-field values; `public_weights` are not committed.

    `proofs` is how many one commitment to the weights has to be good for, where proofs are hiding, else 0.
    `hidden_values` are those of each hidden input and output. One commitment to such a tensor has to be good
    for `hidden_proofs` proofs.
    """

    weight_values: int
    witness_values: int
    hiding: bool = False
    proofs: int = 0
    hidden_values: tuple[int, ...] = ()
    hidden_proofs: int = 0
    public_weights: int = 0

    def code(
        self, log_rows: int, log_inverse_rate: int, queries: int, groups: tuple[int, int] = (0, 0)
    ) -> InitialCode | None:
        """The code of so many rows and queries, with as few columns as hold the values.

        `groups` are log_group of weights and witness. None where no such code holds the values. Then the tail
        leaves no rows, or random rows do not fit, or there are more than MAX_SEARCH_COLUMNS.
        """
        rows, fewest = 1 << log_rows, MASK_COLUMNS if self.hiding else 1
        matrices = []
        if self.weight_values:
            shown = (self.proofs + CERTIFICATES) * (queries << max(groups))
            matrices.append(("weights", self.weight_values, groups[0], self._tail(log_rows, shown)))
        # As many rows a leaf as the witness: a proof shows that many rows of a hidden tensor anyhow.
        shown = self.hidden_proofs * (queries << max(groups))
        tail = self._tail(log_rows, shown)
        matrices += [("hidden", values, groups[1], tail) for values in self.hidden_values]
        if any(tail >= rows for *_, tail in matrices):
            return None
        columns = [max(-(-values // (rows - tail)), fewest) for _, values, _, tail in matrices]
        others = sum(columns)
        witness = max(-(-self.witness_values // rows), fewest)
        while self.hiding and witness <= (others + witness - 1).bit_length():
            witness += 1
        if others + witness > MAX_SEARCH_COLUMNS:
            return None
        codes = [
            MatrixCode(matrix, count, log_group, tail)
            for (matrix, _, log_group, tail), count in zip(matrices, columns, strict=True)
        ]
        codes.append(MatrixCode("witness", witness, groups[1]))
        try:
            return InitialCode(log_rows, log_inverse_rate, queries, tuple(codes), self.hiding)
        except SecurityError:
            return None

    def with_queries(self, code: InitialCode, queries: int) -> InitialCode | None:
        """A code of these sizes with another number of queries, or None; see `code`."""
        groups = code.weight_log_group, code.witness_log_group
        return self.code(code.log_rows, code.log_inverse_rate, queries, groups)

    def _tail(self, log_rows: int, shown: int) -> int:
        """The least tail where all proofs show so many rows; it may be longer than a column."""
        if not self.hiding:
            return 0
        step = max(1 << log_rows >> LOG_TAIL_STEPS, 1)
        return -(-(UNUSED_TAIL_ROWS + shown) // step) * step
