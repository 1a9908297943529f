"""The number of proofs that reveal weights, against drawing queries."""

from __future__ import annotations

import random

import pytest

from deepprove_dist.protocol.parameters import InitialCode, proofs_revealing_weights
from tests.records import replace

from .shapes import changed_matrix, hiding_code, initial_code

CODE = initial_code(9, 51, 6, 6, queries=34)


def drawn_proofs(code: InitialCode, rng: random.Random) -> int:
    leaves, rows, proofs = 1 << code.log_length - code.weight_log_group, set[int](), 0
    while len(rows) << code.weight_log_group < 1 << code.log_rows:
        rows |= {rng.randrange(leaves) for _ in range(code.queries)}
        proofs += 1
    return proofs


@pytest.mark.parametrize(
    "code",
    [
        CODE,
        replace(CODE, log_rows=12, log_inverse_rate=5, queries=41),
        replace(CODE, log_rows=10, log_inverse_rate=1, queries=309),
        changed_matrix(CODE, "weights", columns=1, log_group=3),
    ],
)
def test_it_is_what_drawing_gives(code: InitialCode) -> None:
    rng = random.Random(5)
    counts = [drawn_proofs(code, rng) for _ in range(30)]
    expected = proofs_revealing_weights(code)
    assert expected is not None
    assert abs(expected - sum(counts) / len(counts)) <= 1


def test_the_shipped_networks_have_the_numbers_of_the_readme() -> None:
    """Queries and rows of digits_mlp's and digits_cnn264k's keys."""
    assert proofs_revealing_weights(CODE) == 16
    assert proofs_revealing_weights(replace(CODE, log_rows=12, log_inverse_rate=5, queries=41)) == 102


def test_one_leaf_reveals_all_and_public_weights_are_not_committed() -> None:
    assert proofs_revealing_weights(changed_matrix(CODE, "weights", log_group=15)) == 1
    assert proofs_revealing_weights(replace(CODE, matrices=CODE.matrices[1:])) is None


def test_no_number_of_hiding_proofs_reveals_the_weights() -> None:
    code = hiding_code(12, 3, 70, tail=2048)
    assert proofs_revealing_weights(code) is None
    assert code.proofs == 21
