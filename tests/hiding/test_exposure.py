"""Interpolation of the weights from opened rows: in vain for a whole budget, and with success beyond it."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import MODULUS
from tests.backends import local
from tests.hiding.elements import base
from tests.hiding.exposure import Rows, all_rows, interpolated, is_possible
from tests.hiding.switches import budget_by_weight_leaves
from tests.hiding.toy import B1, W1, W2, Sizes, Toy, toy_key, toy_model

GROUPED = Sizes(7, queries=4, log_inverse_rate=3, tail=120, witness_group=1)
"""A leaf of the witness has two rows, one of the weights one: F shows twice as many rows as are open."""


ONE_PROOF = Sizes(queries=4, tail=48)


def matrix(toy: Toy) -> IntArray:
    """The committed weights, [columns, 2^m], with their tails."""
    values = local(toy.key).local_weights.matrix
    assert values is not None
    return base(values).reshape(toy.key.verifying.schedule.initial.weight_columns, -1)


def other_weights(toy: Toy, sizes: Sizes) -> IntArray:
    """Those of another model of the same shape."""
    return matrix(Toy(toy_key(sizes, 1, toy_model(W1[::-1].copy(), B1[::-1].copy(), W2[:, ::-1].copy()))))


def budget(toy: Toy) -> int:
    proofs = toy.key.verifying.schedule.initial.proofs
    assert proofs is not None
    return proofs


@pytest.mark.parametrize(
    ("sizes", "proofs"),
    [
        (Sizes(tail=52), 13),
        (ONE_PROOF, 1),
        (GROUPED, 5),
        (Sizes(7, queries=4, log_inverse_rate=3, tail=120, weight_group=1), 5),
    ],
)
def test_a_whole_budget_excludes_no_weights(sizes: Sizes, proofs: int) -> None:
    toy = Toy(toy_key(sizes))
    assert budget(toy) == proofs
    code = toy.key.verifying.schedule.initial
    rows = all_rows(toy, range(proofs), through_f=True)
    assert len(rows) <= proofs * code.rows_of_proof
    assert interpolated(code, rows) is None
    assert is_possible(code, matrix(toy), rows)
    assert is_possible(code, other_weights(toy, sizes), rows)


def proofs_until(toy: Toy, count: int, *, through_f: bool, most: int) -> tuple[int, Rows]:
    """Proofs until so many rows are known, at most `most`; reservations are made by hand."""
    rows = Rows()
    for number in range(most):
        rows |= all_rows(toy, range(number, number + 1), through_f=through_f)
        if len(rows) >= count:
            return number + 1, rows
    return most, rows


def test_more_proofs_than_a_budget_of_one_give_the_weights_away() -> None:
    sizes = ONE_PROOF
    toy = Toy(toy_key(sizes))
    assert budget(toy) == 1
    code = toy.key.verifying.schedule.initial
    # More rows than the tail confirm a guess of the weights.
    proofs, rows = proofs_until(toy, sizes.tail + 1, through_f=False, most=50)
    assert proofs > 1
    assert is_possible(code, matrix(toy), rows)
    assert not is_possible(code, other_weights(toy, sizes), rows)
    # As many rows as coefficients give them, with nothing to guess.
    _, rows = proofs_until(toy, 1 << code.log_rows, through_f=False, most=50)
    solved = interpolated(code, rows)
    assert solved is not None
    assert np.array_equal(solved.T, matrix(toy))
    weights = set((solved[: -sizes.tail] % MODULUS).reshape(-1).tolist())
    assert set((np.concatenate([W1.reshape(-1), B1, W2.reshape(-1)]) % MODULUS).tolist()) <= weights


def test_rows_that_are_open_in_the_witness_alone_are_known_through_f() -> None:
    toy = Toy(toy_key(GROUPED))
    open_rows = all_rows(toy, range(1), through_f=False)
    known = all_rows(toy, range(1), through_f=True)
    assert len(known) == 2 * len(open_rows) == toy.key.verifying.schedule.initial.rows_of_proof


def test_a_budget_by_the_leaves_of_weights_alone_gives_them_away() -> None:
    with budget_by_weight_leaves():
        toy = Toy(toy_key(GROUPED))
        wrong = budget(toy)
    assert wrong == 19
    code = toy.key.verifying.schedule.initial
    rows = all_rows(toy, range(wrong), through_f=True)
    solved = interpolated(code, rows)
    assert solved is not None
    assert np.array_equal(solved.T, matrix(toy))
    # What is open alone would not have done.
    assert interpolated(code, all_rows(toy, range(wrong), through_f=False)) is None
