"""Errors over the spread of values, by channel, and which samples are ordinary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.quantise.deviation import Deviation, DeviationSum
from deepprove_dist.quantise.ordinary import ordinary
from tests.quantise.inexact import Array, normal


def deviation(expected: Array, actual: Array) -> Deviation:
    """Of values [samples, channels, positions]."""
    total = DeviationSum()
    for one, other in zip(expected, actual, strict=True):
        total.add(one, other)
    return total.result()


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 41)])
def test_integers_deviate_as_their_reals_do(shape: tuple[int, int]) -> None:
    """Also of channels along the last axis, which are views."""
    total, scale = DeviationSum(), 0.125
    expected = [normal(*shape[::-1], seed=seed).T + 3 for seed in range(4)]
    integers = [np.rint(values / scale + seed % 2).astype(np.int64) for seed, values in enumerate(expected)]
    for real, whole in zip(expected, integers, strict=True):
        total.add_integers(real, whole, scale)
    reals: Array = np.stack(integers).astype(np.float64) * scale
    result, known = total.result(), deviation(np.stack(expected), reals)
    assert result.largest == known.largest
    for name in ("errors", "spreads", "magnitudes"):
        assert np.allclose(getattr(result, name), getattr(known, name), rtol=1e-12)


@settings(max_examples=30)
@given(
    offset=st.sampled_from([0.0, 1e3, -1e5]), scale=st.sampled_from([1e-3, 1.0, 1e4]), seed=st.integers(0, 99)
)
def test_an_offset_is_no_spread(offset: float, scale: float, seed: int) -> None:
    values = scale * normal(40, 3, 5, seed=seed)
    errors = 0.01 * scale * normal(40, 3, 5, seed=seed + 1)
    result = deviation(values + offset * scale, values + offset * scale + errors)
    assert result.spread == pytest.approx(np.sqrt(values.var(axis=(0, 2)).mean()), rel=1e-6)
    assert result.mean == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-4)
    assert result.relative == pytest.approx(result.mean / result.spread)
    assert result.largest == pytest.approx(np.abs(errors).max(), rel=1e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_error_that_is_not_known_is_no_small_one(value: float) -> None:
    values = normal(10, 2, 3, seed=1)
    values[4, 1, 2] = value
    with np.errstate(invalid="ignore"):
        assert deviation(values, normal(10, 2, 3, seed=2)).relative == np.inf


def test_constant_values_are_judged_by_their_size() -> None:
    values = np.full((10, 2, 3), 50.0)
    result = deviation(values, values + 1.0)
    assert result.spread == 0
    assert result.relative == pytest.approx(0.02)
    assert deviation(values, values).relative == 0
    assert deviation(0 * values, 0 * values + 1).relative == 1


def test_the_worst_channel_is_named_where_channels_are_unlike() -> None:
    values = normal(100, 3, 4)
    errors = np.full_like(values, 0.1)
    assert deviation(values, values + errors).worst_channel is None
    unlike = values * np.array([1.0, 100.0, 1000.0])[:, np.newaxis]
    result = deviation(unlike, unlike + errors)
    assert result.worst_channel == 0
    assert result.channels == pytest.approx([0.1, 0.001, 0.0001], rel=0.1)


def test_a_channel_that_never_varies_is_not_the_worst() -> None:
    values = normal(100, 3, 4) * np.array([0.0, 1.0, 100.0])[:, np.newaxis]
    assert deviation(values, values + 0.1).worst_channel == 1


def test_one_wild_value_makes_a_sample_extraordinary() -> None:
    values = normal(50, 8)
    assert ordinary(values).all()
    values[7, 3] = 1e3
    assert np.flatnonzero(~ordinary(values)).tolist() == [7]


def test_a_small_element_has_outliers_of_its_own() -> None:
    values = normal(50, 2) * np.array([1e6, 1.0])
    values[7, 1] = 1e3
    assert np.flatnonzero(~ordinary(values)).tolist() == [7]


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_what_many_samples_have_is_ordinary(share: float) -> None:
    values = normal(100, 8)
    values[: int(100 * share), 0] = 1e4
    assert ordinary(values).all()


def test_elements_that_are_mostly_zero_are_ordinary() -> None:
    generator = np.random.default_rng(0)
    assert ordinary(np.where(generator.random((100, 20)) < 0.05, 1.0, 0.0)).all()
    assert ordinary(np.zeros((20, 3))).all()
    assert ordinary(np.ones((1, 3))).all()
