"""A model lowered with rounded bounds holds for the same inferences, and tells little of its weights."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.lowering.builder import Builder, Lowered, Source
from deepprove_dist.lowering.expression import stored
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.system.bounds import widened
from deepprove_dist.protocol.system.check import proven_ranges
from tests.examples import few
from tests.lowering.integers import check_lookups, check_relations, values_of
from tests.random_models import inputs
from tests.random_networks import networks


@few(100)
@given(data=st.data(), model=networks())
def test_relations_hold_over_the_integers(data: st.DataObject, model: IntegerModel) -> None:
    lowered = lower(model, rounded=True)
    values = values_of(model, lowered, data.draw(inputs(model, 2)))
    system = lowered.system.for_batch(2)
    check_relations(system, values)
    check_lookups(system, values)
    ranges = proven_ranges(system)
    for tensor in lowered.sources:
        low, high = ranges[tensor]
        assert low <= values[tensor].min()
        assert values[tensor].max() <= high


def stored_in_limbs(interval: tuple[int, int], *, rounded: bool) -> Lowered:
    builder = Builder(rounded=rounded)
    value = builder.witness("x", stored(0, (3,), (3,)), Source("x"))
    builder.store_in_limbs("limbs", value, Source("x"), (3,), interval)
    return builder.finish((), ())


@pytest.mark.parametrize("interval", [(-500, 900), (-5000, 70_000), (-33_333_333, 9), (3, 9), (-9, -3)])
def test_limbs_are_those_of_the_widened_interval(interval: tuple[int, int]) -> None:
    rounded = stored_in_limbs(interval, rounded=True)
    assert rounded == stored_in_limbs(widened(*interval), rounded=False)
    assert rounded != stored_in_limbs(interval, rounded=False)


@few(30)
@given(model=networks())
def test_only_rounded_systems_change(model: IntegerModel) -> None:
    assert lower(model, rounded=False) == lower(model)
    assert lower(model, rounded=True) == lower(model, rounded=True)
