"""Malicious provers: a wrong witness is committed and proven on with.

Each is tried by the real prover, and by a stubborn one. That adapts what it sends to pass the next check.
"""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.field import MODULUS
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.prover import Prover
from tests.attacks.expected import of_prover
from tests.attacks.models import LIMBS, RELU, check, prove_fast
from tests.attacks.reference_prover import ReferenceProver
from tests.attacks.witnesses import STEP, Forger, Parts, in_range, in_table, unit
from tests.records import replace


@pytest.fixture(scope="module", params=["key", "flat_key", "public_key"])
def forger(request: pytest.FixtureRequest, hiding: bool) -> Forger:
    key: Prover = request.getfixturevalue(request.param)
    return Forger(key)


def require_rejection(forger: Forger, parts: Parts, expected: Check) -> None:
    """The honest witness passes; this one is rejected by that check, and at last by the queries."""
    honest = forger.attempt(forger.honest(len(parts.x)))
    check(forger.key, prove_fast(forger.key, honest))
    attempt = forger.attempt(parts)
    different = attempt.witness.matrix.to_array() != honest.witness.matrix.to_array()
    assert np.any(different) or attempt.statement != honest.statement
    with pytest.raises(VerificationError) as caught:
        check(forger.key, prove_fast(forger.key, attempt))
    assert caught.value.check == of_prover(forger.key, expected)
    with pytest.raises(VerificationError) as caught:
        check(forger.key, ReferenceProver(forger.key, attempt, stubborn=True).prove())
    assert caught.value.check == Check.OPENING_FINAL


def test_honest_tensors_pass_what_the_lies_below_break(forger: Forger) -> None:
    parts = forger.honest(2)
    assert forger.first_layer_holds(parts)
    assert forger.second_layer_holds(parts)
    assert in_table(parts)
    assert in_range(parts)
    check(forger.key, prove_fast(forger.key, forger.attempt(parts)))


@pytest.mark.parametrize("limb", [0, 1])
def test_range_check_a_remainder_limb_out_of_range_with_q_off_by_one(forger: Forger, limb: int) -> None:
    true = forger.honest()
    active = int(np.flatnonzero(true.tensors["h"])[0])
    one = unit(true.tensors["h"], active)
    q = true.tensors["h.q"] - one
    over = STEP >> (LIMBS[0] if limb else 0)
    remainder = true.tensors[f"h.r{limb}"] + over * one
    parts = forger.finish(true, q=q, h=RELU.apply(q), **{f"r{limb}": remainder})
    assert forger.first_layer_holds(parts)
    assert forger.second_layer_holds(parts)
    assert in_table(parts)
    assert not in_range(parts)
    assert not np.array_equal(parts.y, true.y)
    require_rejection(forger, parts, Check.FRACTION_SUM)


def test_wrong_table_row(forger: Forger) -> None:
    true = forger.honest()
    parts = forger.finish(true, h=true.tensors["h"] + unit(true.tensors["h"], 0))
    assert forger.first_layer_holds(parts)
    assert forger.second_layer_holds(parts)
    assert not in_table(parts)
    assert not np.array_equal(parts.y, true.y)
    require_rejection(forger, parts, Check.FRACTION_SUM)


def counted(parts: Parts, table: int, row: int, step: int) -> Parts:
    """With a row of a table counted so often more."""
    name = f"multiplicities {table}"
    return parts.replaced(name, parts.tensors[name] + step * unit(parts.tensors[name], row))


@pytest.mark.parametrize("weight", [1, 2])
def test_wrong_table_row_of_the_same_sum(forger: Forger, weight: int) -> None:
    """q + weight (T(q) + 1) is what a later row adds up to, which is counted instead."""
    true = forger.honest()
    index = int(np.flatnonzero(true.tensors["h.q"] <= -weight)[0])
    q = int(true.tensors["h.q"].reshape(-1)[index])
    other = q + weight
    parts = forger.finish(true, h=true.tensors["h"] + unit(true.tensors["h"], index))
    parts = counted(counted(parts, 2, q - RELU.first, -1), 2, other - RELU.first, 1)
    assert forger.second_layer_holds(parts)
    assert not in_table(parts)
    assert RELU.apply(np.array([q, other])).tolist() == [0, 0]
    require_rejection(forger, parts, Check.FRACTION_SUM)


@pytest.mark.parametrize("row", [0, 1])
def test_a_remainder_limb_in_the_range_of_another_limb(forger: Forger, row: int) -> None:
    """Counted there, by its value or by the sum of value and table's number."""
    true = forger.honest()
    active = int(np.flatnonzero(true.tensors["h"])[0])
    one = unit(true.tensors["h"], active)
    q, limb = true.tensors["h.q"] - one, true.tensors["h.r1"] + (1 << LIMBS[1]) * one
    parts = forger.finish(true, q=q, h=RELU.apply(q), r1=limb)
    parts = counted(parts, 0, int(limb.reshape(-1)[active]) + row, 1)
    assert forger.first_layer_holds(parts)
    assert in_table(parts)
    assert not in_range(parts)
    require_rejection(forger, parts, Check.FRACTION_SUM)


@pytest.mark.parametrize("table", [0, 1, 2])
@pytest.mark.parametrize("moves", [{0: 1}, {0: -1}, {0: 1, 1: -1}, {3: MODULUS // 2, 2: MODULUS // 2 + 1}])
def test_wrong_multiplicities(forger: Forger, table: int, moves: dict[int, int]) -> None:
    """Also negative ones, and ones whose sum is right modulo p."""
    parts = forger.honest()
    counts = parts.tensors[f"multiplicities {table}"].copy()
    for entry, step in moves.items():
        counts[entry] += step
    parts = parts.replaced(f"multiplicities {table}", counts)
    require_rejection(forger, parts, Check.FRACTION_SUM)


def test_multiplicities_that_wrap_are_the_same_field_elements(forger: Forger) -> None:
    """p more of a row is no more of it, so the proof must be the same one, not another valid one."""
    parts = forger.honest()
    counts = parts.tensors["multiplicities 1"] + MODULUS
    wrapped = parts.replaced("multiplicities 1", counts)
    proofs = [prove_fast(forger.key, forger.attempt(witness)) for witness in (parts, wrapped)]
    assert len({proof_file.dump(proof) for proof in proofs}) == 1


@pytest.mark.parametrize("step", [1, -1, STEP])
def test_wrong_accumulator(forger: Forger, step: int) -> None:
    true = forger.honest()
    divided = forger.divided(forger.accumulator(true.x) + STEP // 2 + step)
    parts = forger.finish(true, h=RELU.apply(divided["q"]), **divided)
    assert in_table(parts)
    assert in_range(parts)
    assert forger.second_layer_holds(parts)
    assert not forger.first_layer_holds(parts)
    require_rejection(forger, parts, Check.OPENING_CLAIM)


def test_an_accumulator_that_wraps_around_p(forger: Forger) -> None:
    true = forger.honest()
    one = unit(true.tensors["h"], 0)
    divided = forger.divided(forger.accumulator(true.x) + STEP // 2 + MODULUS * one)
    h = np.where(one == 1, RELU.interval()[1], true.tensors["h"])
    parts = forger.finish(true, h=h, **divided)
    assert forger.first_layer_holds(parts)
    assert forger.second_layer_holds(parts)
    assert in_range(parts)
    assert not in_table(parts)
    require_rejection(forger, parts, Check.FRACTION_SUM)


def test_wrong_output_tensor_for_a_wrong_output(forger: Forger) -> None:
    true = forger.honest()
    y = true.tensors["y"] + unit(true.tensors["y"], 1)
    parts = replace(true.replaced("y", y), y=y)
    assert forger.first_layer_holds(parts)
    assert not forger.second_layer_holds(parts)
    require_rejection(forger, parts, Check.OPENING_CLAIM)


@pytest.mark.parametrize("samples", [1, 3])
def test_output_that_differs_from_the_committed_one(forger: Forger, samples: int) -> None:
    true = forger.honest(samples)
    parts = replace(true, y=true.y - unit(true.y, 3 * samples - 1))
    assert forger.second_layer_holds(parts)
    require_rejection(forger, parts, Check.OPENING_CLAIM)


@pytest.mark.parametrize("samples", [1, 3])
def test_input_that_differs_from_the_committed_one(forger: Forger, samples: int) -> None:
    true = forger.honest(samples)
    x = np.where(true.x == 0, 1, 0)
    parts = replace(true, x=x)
    assert forger.first_layer_holds(parts)
    assert not np.array_equal(parts.x, parts.tensors["x"])
    require_rejection(forger, parts, Check.OPENING_CLAIM)


def test_samples_of_a_batch_that_trade_their_outputs(forger: Forger) -> None:
    true = forger.honest(3)
    parts = replace(true, y=true.y[::-1].copy())
    assert not np.array_equal(parts.y, true.y)
    require_rejection(forger, parts, Check.OPENING_CLAIM)
