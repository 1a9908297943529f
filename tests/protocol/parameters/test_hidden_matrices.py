"""Sizes of hidden inputs and outputs in a schedule."""

from __future__ import annotations

import pytest

from deepprove_dist.errors import SecurityError
from deepprove_dist.protocol.parameters import (
    MAX_HIDDEN,
    InitialCode,
    MatrixCode,
    choose,
    error_terms,
    require_security,
)
from deepprove_dist.protocol.parameters.sizes import Sizes
from tests.protocol.parameters.shapes import SMALL_MLP, hiding_code
from tests.records import replace

QUERIES, ROWS = 40, 1 << 10


def code(*hidden: MatrixCode) -> InitialCode:
    plain = hiding_code(10, 3, QUERIES, 8, 8, 512)
    weights, witness = plain.matrices
    return replace(plain, matrices=(weights, *hidden, witness))


def hidden(tail: int, log_group: int = 0, columns: int = 5) -> MatrixCode:
    return MatrixCode("hidden", columns, log_group, tail)


def test_numbers_of_a_code_with_hidden_tensors() -> None:
    result = code(hidden(512), hidden(320, 1))
    assert [item.tail for item in result.hidden] == [512, 320]
    assert result.columns == 26
    assert [columns for columns, _ in result.trees] == [8, 5, 5, 13]
    # Five rows for the answer and five that stay unused: 310 rows for proofs of 80 rows.
    assert (result.rows_of_proof, result.commitment_proofs) == (80, 3)
    assert code().commitment_proofs is None


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (hidden(0), "tail of a hidden tensor"),
        (hidden(64, 1), "tail of a hidden tensor"),
        (hidden(65), "multiple"),
        (hidden(ROWS), "tail of"),
        (hidden(512, columns=4), "columns of hidden"),
    ],
)
def test_what_would_not_hide_is_refused(matrix: MatrixCode, message: str) -> None:
    with pytest.raises(SecurityError, match=message):
        code(matrix)


def test_a_tail_is_for_one_proof_at_least() -> None:
    assert code(hidden(64)).commitment_proofs == 1
    with pytest.raises(SecurityError, match="from 90 to"):
        code(hidden(64, 1))


def test_there_are_only_so_many() -> None:
    code(*[hidden(64)] * MAX_HIDDEN)
    with pytest.raises(SecurityError, match="number of hidden tensors"):
        code(*[hidden(64)] * (MAX_HIDDEN + 1))


def test_matrices_keep_their_order() -> None:
    weights, witness = code().matrices
    for matrices in ((hidden(64), weights, witness), (weights, witness, hidden(64)), (weights, hidden(64))):
        with pytest.raises(SecurityError, match="order"):
            replace(code(), matrices=matrices)
    with pytest.raises(SecurityError, match="one of a kind"):
        replace(code(), matrices=(weights, weights, witness))


def test_a_transparent_code_hides_nothing() -> None:
    with pytest.raises(SecurityError):
        replace(code(hidden(64)), hiding=False)


@pytest.mark.parametrize("proofs", [1, 16, 50])
@pytest.mark.parametrize("values", [1, 5 * ROWS, 100 * ROWS])
def test_sizes_have_the_tail_for_so_many_proofs(proofs: int, values: int) -> None:
    sizes = Sizes(3000, 4000, hiding=True, proofs=4, hidden_values=(values, 1), hidden_proofs=proofs)
    result = sizes.code(13, 3, QUERIES, (0, 1))
    assert result is not None
    first, second = result.hidden
    least = proofs * QUERIES * 2 + 10
    assert least <= first.tail == second.tail < least + (1 << 9)
    assert result.commitment_proofs is not None
    assert result.commitment_proofs >= proofs
    assert first.columns == max(5, -(-values // ((1 << 13) - first.tail)))
    assert second.columns == 5
    assert result.witness_columns > result.column_rounds


def test_a_tail_longer_than_a_column_is_no_code() -> None:
    sizes = Sizes(100, 100, hiding=True, proofs=1, hidden_values=(1,), hidden_proofs=30)
    assert sizes.code(10, 3, QUERIES) is None


def test_each_hidden_matrix_is_in_the_account() -> None:
    weights, witness, shape = 26_000, 3_000, SMALL_MLP
    plain, both = (
        choose(weights, witness, shape, hiding=True, proofs=16, hidden_values=values)
        for values in ((), (64, 10))
    )
    require_security(both, shape)
    assert [m.matrix for m in both.initial.matrices] == ["weights", "hidden", "hidden", "witness"]
    names = [term.name for term in error_terms(both, shape)]
    assert names.count("out-of-domain hidden") in (0, 2)
    batching = next(term for term in error_terms(both, shape) if term.name == "claim batching")
    before = next(term for term in error_terms(plain, shape) if term.name == "claim batching")
    powers = [int(term.detail.split()[3]) for term in (before, batching)]
    assert powers[1] == powers[0] + 2
