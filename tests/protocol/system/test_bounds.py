"""Rounded bounds: larger, few, as valid as before, and functions of what the others round to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deepprove_dist import prover
from deepprove_dist.errors import FormatError
from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.system.bounds import (
    has_weights,
    round_inwards,
    round_outwards,
    rounded_interval,
    widened,
    with_rounded_bounds,
)
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.system import PublicTensor, System
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.examples import few
from tests.lowering.networks import depthwise, lenet, residual
from tests.protocol.example import ATTEMPT
from tests.protocol.system import mapped_system, test_check
from tests.random_networks import networks
from tests.records import replace
from tests.test_prover import one_layer

SYSTEM = test_check.SYSTEM
ROUNDED = {sign * (step << exponent) for sign in (1, -1) for step in (4, 5, 6, 7) for exponent in range(40)}
ROUNDED |= {0, 1, -1, 2, -2, 3, -3}
INTEGERS = st.integers(-(1 << 35), 1 << 35) | st.integers(-600, 600)


@given(value=INTEGERS)
def test_rounding_gives_the_nearest_that_is_not_nearer_to_zero(value: int) -> None:
    further = [rounded for rounded in ROUNDED if abs(rounded) >= abs(value) and rounded * value >= 0]
    assert round_outwards(value) == min(further, key=abs)
    assert round_outwards(-value) == -round_outwards(value)
    assert round_outwards(round_outwards(value)) == round_outwards(value)


def test_rounding_by_hand() -> None:
    expected = {7: 7, 8: 8, 9: 10, 11: 12, 13: 14, 15: 16, 17: 20, 1000: 1024, 1025: 1280, -1281: -1536}
    assert {value: round_outwards(value) for value in expected} == expected


@given(value=INTEGERS)
def test_rounding_inwards_gives_the_nearest_that_is_not_further_from_zero(value: int) -> None:
    nearer = [rounded for rounded in ROUNDED if abs(rounded) <= abs(value) and rounded * value >= 0]
    assert round_inwards(value) == max(nearer, key=abs)
    assert round_inwards(-value) == -round_inwards(value)


@given(ends=st.tuples(INTEGERS, INTEGERS).map(sorted))
def test_a_rounded_interval_is_the_smallest_around(ends: list[int]) -> None:
    low, high = rounded_interval(*ends)
    assert low == max(rounded for rounded in ROUNDED if rounded <= ends[0])
    assert high == min(rounded for rounded in ROUNDED if rounded >= ends[1])


@given(ends=st.tuples(*[st.integers(-LARGEST_SIGNED, LARGEST_SIGNED)] * 2).map(sorted))
@example(ends=[-939524097, LARGEST_SIGNED])
def test_a_widened_interval_is_in_the_field(ends: list[int]) -> None:
    low, high = widened(*ends)
    assert -LARGEST_SIGNED <= low <= ends[0] <= ends[1] <= high <= LARGEST_SIGNED
    assert high - low < MODULUS - 1 or ends == [low, high]


def test_a_widened_interval_has_all_of_the_field_only_if_it_had_before() -> None:
    assert widened(-LARGEST_SIGNED, LARGEST_SIGNED) == (-LARGEST_SIGNED, LARGEST_SIGNED)
    assert widened(5 - LARGEST_SIGNED, LARGEST_SIGNED) == (1 - LARGEST_SIGNED, LARGEST_SIGNED)
    assert widened(-LARGEST_SIGNED, LARGEST_SIGNED - 5) == (-LARGEST_SIGNED, LARGEST_SIGNED - 1)


def relation(system: System, **changes: Any) -> System:
    first, *others = system.relations
    return replace(system, relations=(replace(first, **changes), *others))


def bounds(system: System) -> list[tuple[int, int]]:
    return [(relation.low, relation.high) for relation in with_rounded_bounds(system).relations]


def test_a_relation_with_weights_is_rounded() -> None:
    assert bounds(relation(SYSTEM, low=-500, high=901)) == [(-512, 1024)]
    assert bounds(relation(SYSTEM, low=3, high=901)) == [(3, 1024)]
    assert bounds(relation(SYSTEM, low=-9, high=-2)) == [(-10, -2)]


def test_only_bounds_change() -> None:
    rounded = with_rounded_bounds(SYSTEM)
    low, high = SYSTEM.relations[0].low, SYSTEM.relations[0].high
    assert relation(rounded, low=low, high=high) == SYSTEM


def test_rounding_stops_where_values_would_wrap() -> None:
    """The witness's side 16 q + r - 8 is in [-520, 511]: 16 * -32 - 8 to 16 * 31 + 15 - 8."""
    lowest, highest = 503 - MODULUS + 1, -520 + MODULUS - 1
    for low, high in ((lowest, highest), (lowest + 5, highest - 5)):
        system = relation(SYSTEM, low=low, high=high)
        check(system)
        assert bounds(system) == [(lowest, highest)]
        check(with_rounded_bounds(system))
        with pytest.raises(FormatError, match="wrap"):
            check(relation(system, low=lowest - 1))
        with pytest.raises(FormatError, match="wrap"):
            check(relation(system, high=highest + 1))


def test_a_relation_without_weights_stays() -> None:
    system = mapped_system.SYSTEM
    rounded = with_rounded_bounds(system)
    check(rounded)
    for before, after in zip(system.relations, rounded.relations, strict=True):
        assert has_weights(system, before) or before == after


def outputs(system: System) -> list[PublicTensor]:
    return [*with_rounded_bounds(system).outputs]


def test_an_output_that_a_table_bounds_stays() -> None:
    assert outputs(SYSTEM) == [*SYSTEM.outputs]


@given(model=networks())
@few(60)
def test_rounded_systems_are_valid_and_their_ranges_larger(model: IntegerModel) -> None:
    system = lower(model).system
    rounded = with_rounded_bounds(system)
    check(rounded)
    assert with_rounded_bounds(rounded) == rounded
    for before, after in zip(system.relations, rounded.relations, strict=True):
        assert after.low <= before.low
        assert before.high <= after.high
        assert before == replace(after, low=before.low, high=before.high)
        if has_weights(system, before):
            assert {after.low, after.high} <= ROUNDED
    looked_up = {column.stored for lookup in system.lookups for column in lookup.columns}
    for one, other in zip(system.outputs, rounded.outputs, strict=True):
        assert other.lo <= one.lo
        assert one.hi <= other.hi
        assert one.tensor in looked_up or {other.lo, other.hi} <= ROUNDED
    assert replace(rounded, relations=system.relations, outputs=system.outputs) == system


@given(model=networks(), data=st.data())
@few(40)
def test_ranges_that_round_to_the_same_are_the_same(model: IntegerModel, data: st.DataObject) -> None:
    """So a reader learns no more of the weights than what they round to."""
    rounded = with_rounded_bounds(lower(model).system)

    def other(relation: Any) -> Any:
        if not has_weights(rounded, relation):
            return relation
        low = data.draw(st.integers(relation.low, relation.low + abs(relation.low) // 8))
        high = data.draw(st.integers(relation.high - abs(relation.high) // 8, relation.high))
        same = rounded_interval(low, high) == (relation.low, relation.high)
        return replace(relation, low=low, high=high) if same else relation

    system = replace(rounded, relations=tuple(map(other, rounded.relations)))
    assert with_rounded_bounds(system) == rounded


@pytest.mark.parametrize("make", [lenet, residual, depthwise])
def test_a_key_with_rounded_bounds_proves(make: Callable[[], IntegerModel]) -> None:
    model = make()
    key = prover.Prover.generate(model, Options(hiding=True), Pool(2))
    x = np.full((1, *model.inputs[0].shape), model.inputs[0].lo)
    trace = key.runner.run({model.inputs[0].name: x})
    verifying = key_file.load(key_file.dump(key.verifying))
    statement = verify(verifying, prover.prove(key, trace, 1, attempt=ATTEMPT))
    assert verifying.system != lower(model).system
    for output in model.outputs:
        assert np.array_equal(statement.output_integers[output.name], trace.outputs[output.name])


@pytest.mark.parametrize("weight", [2_088_000, 2_088_900])
def test_an_output_at_the_ends_of_the_field_is_rounded_as_far_as_it_goes(weight: int) -> None:
    system = lower(one_layer([[weight, -weight, weight, -weight]])).system
    rounded = with_rounded_bounds(system)
    check(rounded)
    (relation,), (output,) = rounded.relations, rounded.outputs
    assert (output.lo, output.hi) == (-LARGEST_SIGNED, LARGEST_SIGNED - 1)
    assert (relation.low, relation.high) == (-LARGEST_SIGNED - 1, LARGEST_SIGNED)
