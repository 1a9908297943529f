"""Rounding of real inputs to integers, and values out of range."""

import numpy as np
import pytest

from deepprove_dist.errors import InputRangeError, SamplesError
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.samples.rounding import outside, quantise_inputs

MODEL = IntegerModel((ModelTensor("x", (1, 4), -8, 7, Scale.of(0.5)),), (), {}, ())


def test_inputs_are_rounded_to_even() -> None:
    values = np.array([[[0.0, 0.25, 0.75, -0.25]], [[-4.0, 3.5, 3.7, -4.2]]])
    assert quantise_inputs(MODEL, {"x": values})["x"].tolist() == [[[0, 0, 2, 0]], [[-8, 7, 7, -8]]]
    assert outside(MODEL, {"x": values})["x"].sum() == 0


def test_values_out_of_range_are_named_or_clamped() -> None:
    values = np.zeros((3, 1, 4))
    values[1, 0, 2], values[2, 0, 0] = 1e300, -5.0
    with pytest.raises(InputRangeError, match=r"'x', sample 1, flat index 2: 1e\+300.*\[-4, 3\.5\]"):
        quantise_inputs(MODEL, {"x": values})
    clamped = quantise_inputs(MODEL, {"x": values}, clamp=True)["x"]
    assert (clamped[1, 0, 2], clamped[2, 0, 0]) == (7, -8)
    assert outside(MODEL, {"x": values})["x"].sum() == 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_never_clamped(value: float) -> None:
    with pytest.raises(SamplesError, match="sample 0, flat index 1"):
        quantise_inputs(MODEL, {"x": np.array([[[0, value, 0, 0]]])}, clamp=True)


def test_missing_inputs_are_refused() -> None:
    for values in ({}, {"x": np.zeros((1, 4))}):
        with pytest.raises(SamplesError):
            quantise_inputs(MODEL, values)
