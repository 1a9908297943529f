"""A tensor that is rescaled alone has a whole multiplier, where a rounded one would move all results."""

import numpy as np
import pytest

from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.multiple import Multiple
from deepprove_dist.operators.pointwise import IDENTITY, Function, call
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.activations import Activation
from deepprove_dist.quantise.calibrate import Statistics
from deepprove_dist.quantise.precision import choose_precision
from deepprove_dist.quantise.steps import Accumulation, LinearStep
from deepprove_dist.quantise.whole_multiplier import FINE, with_whole_multiplier

TANH = call(np.tanh, IDENTITY)


def _sum(largest: int, unit: float) -> Accumulation:
    source = QuantisedTensor("x", "x", Format(Scale.of(unit), -largest, largest))
    return Accumulation("rescaling", "x", (Multiple(source, "x", 1.0),), np.zeros(()), 4)


@pytest.mark.parametrize("function", [IDENTITY, TANH])
@pytest.mark.parametrize("bits", [20, 24, 27, 28])
def test_wide_tensors_have_whole_multipliers(bits: int, function: Function) -> None:
    sum_ = _sum(2**bits - 5, 1.7e-7)
    before = Activation(function, 2 * sum_.bounds()[1] / 255, Format(Scale.of(0.01), -128, 127))
    after = with_whole_multiplier(before, sum_)
    step = LinearStep(sum_, QuantisedTensor("y", "y", after.format), after)
    values = np.full(4, 1.7e-7 * 2**bits)
    statistics = Statistics(-values[0], values[0], values**2, values, values[0])
    (precision,) = choose_precision([step], {"x": statistics})
    multiplier = 1.7e-7 / after.unit * 2**precision.shift
    assert round(multiplier) == pytest.approx(multiplier, rel=1 / (2 * FINE))
    assert before.unit <= after.unit < 2 * before.unit
    moves_format = after.format.unit / before.format.unit
    assert moves_format == pytest.approx(after.unit / before.unit if function == IDENTITY else 1.0)


def test_narrow_tensors_stay_as_they_are() -> None:
    sum_ = _sum(127, 0.1)
    before = Activation(IDENTITY, 0.037, Format(Scale.of(0.037), -128, 127))
    assert with_whole_multiplier(before, sum_) == before


@pytest.mark.parametrize("function", [IDENTITY, TANH])
def test_a_tensor_that_fills_the_field_is_taken_as_it_is(function: Function) -> None:
    """Its multiplier cannot be more than 1, and a rounded one would change the scale of all results."""
    unit = 2.2e-7
    source = QuantisedTensor("x", "x", Format(Scale.of(unit), -355118228, 1065352899))
    sum_ = Accumulation("rescaling", "x", (Multiple(source, "x", 1.0),), np.zeros(()), 4)
    before = Activation(function, 0.0127, Format(Scale.of(0.01), -128, 127))
    after = with_whole_multiplier(before, sum_)
    step = LinearStep(sum_, QuantisedTensor("y", "y", after.format), after)
    values = np.full(4, 50.0)
    (precision,) = choose_precision([step], {"x": Statistics(-50.0, 50.0, values**2, values, 50.0)})
    assert unit / after.unit * 2**precision.shift == pytest.approx(1.0)
    assert before.unit <= after.unit < 2 * before.unit
