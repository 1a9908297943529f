"""Layers with constant weights: their sums, made once, against each format's by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.arrays import Reals
from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.layer import LayerSummand, WeightSums
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.names import NewNames

OUTPUTS, INPUTS = 5, 7


def weights(seed: int) -> Reals:
    return np.random.default_rng(seed).normal(size=(OUTPUTS, INPUTS)).astype(np.float32)


def summand(weight: Reals, scale: Scale, factor: float, lo: int = -100, hi: int = 155) -> LayerSummand:
    bias = np.linspace(-1.0, 1.0, len(weight))
    layer = FloatDense("layer", ("x",), "y", weight, bias)
    return LayerSummand(QuantisedTensor("x", "x", Format(scale, lo, hi)), "x", layer, factor)


def test_sums_of_either_sign() -> None:
    weight = weights(0)
    weight[1] = np.abs(weight[1])
    sums = WeightSums.of(weight)
    assert np.allclose(sums.positive, np.maximum(weight, 0).sum(axis=1))
    assert np.allclose(sums.negative, np.minimum(weight, 0).sum(axis=1))
    # What has no negative weight has no negative sum either, however it is rounded.
    assert sums.negative[1] == 0
    assert sums.squares == pytest.approx(float(np.square(weight.astype(np.float64)).sum()))
    assert sums.largest == np.abs(weight).max()


@given(seed=st.integers(0, 99), factor=st.sampled_from([1.0, -2.5, 0.0]), single=st.booleans())
def test_bounds_hold_and_are_met(seed: int, factor: float, single: bool) -> None:
    weight = weights(seed)
    scales = np.full(INPUTS, 0.03) if single else np.linspace(0.01, 0.05, INPUTS)
    scale = Scale.of(0.03) if single else Scale.from_array(scales[None])
    part = summand(weight, scale, factor)
    values = factor * weight.astype(np.float64) * scales
    ends = np.where(values > 0, 155, -100), np.where(values > 0, -100, 155)
    highest, lowest = ((values * end).sum(axis=1) + factor * part.layer.bias for end in ends)
    assert part.bounds() == pytest.approx((lowest.min(), highest.max()))
    assert part.noise() == pytest.approx(np.sqrt(np.square(values).sum() / OUTPUTS / 12))


@given(seed=st.integers(0, 99), factor=st.sampled_from([1.0, -2.5]), log_unit=st.integers(-22, 2))
def test_weights_are_rounded_to_the_narrowest_type(seed: int, factor: float, log_unit: int) -> None:
    weight, unit = weights(seed), 2.0**log_unit
    part = summand(weight, Scale.of(0.03), factor).part(unit, "y", NewNames(()))
    rounded, *_ = part.constants.values()
    expected = np.rint(factor * weight.astype(np.float64) * 0.03 / unit)
    assert np.array_equal(rounded, expected)
    ends = int(expected.min()), int(expected.max())
    fitting = (kind for kind in (np.int8, np.int16, np.int32) if np.iinfo(kind).min <= ends[0])
    assert rounded.dtype == next(kind for kind in fitting if ends[1] <= np.iinfo(kind).max)


def test_weights_beyond_the_field_are_refused() -> None:
    weight = weights(0)
    unit = float(np.abs(weight).max()) * 0.03 / (2.0 * LARGEST_SIGNED)
    with pytest.raises(QuantisationError, match="pass the field"):
        summand(weight, Scale.of(0.03), 1.0).part(unit, "y", NewNames(()))


def test_factors_of_one_keep_the_weights_as_they_are() -> None:
    layer = FloatDense("layer", ("x",), "y", weights(0), np.zeros(OUTPUTS))
    same = layer.scaled(np.ones(OUTPUTS), np.ones(OUTPUTS), (1, OUTPUTS))
    assert same is not None
    assert same.weight is layer.weight
    assert (same.bias == 1).all()
