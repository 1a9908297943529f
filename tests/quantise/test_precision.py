"""Shifts: what is added to a sum has to fit the field, with its sign."""

import numpy as np
import pytest

from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.multiple import Multiple
from deepprove_dist.operators.pointwise import IDENTITY
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.summand import in_units
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.activations import Activation
from deepprove_dist.quantise.calibrate import Statistics
from deepprove_dist.quantise.precision import choose_precision
from deepprove_dist.quantise.steps import Accumulation, LinearStep


@pytest.mark.parametrize("constant", [27.5, -27.5])
def test_a_constant_beyond_half_of_the_field_makes_the_shift_smaller(constant: float) -> None:
    """Sums from 27.5 to 29 take little of the field, whose integers end at half of it."""
    source = QuantisedTensor("x", "x", Format(Scale.of(1.5 / 2**22), 0, 2**22))
    unit = 29.0 / 255
    sum_ = Accumulation("grid", "y", (Multiple(source, "x", 1.03),), np.array([constant]), 1)
    activation = Activation(IDENTITY, unit, Format(Scale.of(unit), -255, 255))
    step = LinearStep(sum_, QuantisedTensor("y", "y", activation.format), activation)
    squares = np.full(1, 1.5**2)
    (precision,) = choose_precision([step], {"x": Statistics(0.0, 1.5, squares, np.sqrt(squares), 1.0)})
    assert precision.shift == sum(precision.limbs)
    in_units(sum_.constant, unit / 2**precision.shift)
    # One more bit would not do, though the sums' range had room for it.
    assert abs(constant) / unit * 2 ** (precision.shift + 1) > LARGEST_SIGNED
    lowest, highest = sum_.bounds()
    assert (highest - lowest) / unit * 2 ** (precision.shift + 1) < MODULUS / 2


def test_ranges_beyond_the_bounds_leave_room_in_a_shared_table() -> None:
    """An average's ranges reach further than its bounds: with a long table nothing may wrap by these."""
    reach, unit, steps = 2**17, 1.0, []
    activation = Activation(IDENTITY, unit, Format(Scale.of(unit), -128, 127))
    for name, largest, by_ranges in (("a", 250.0, (-40 * reach, 40 * reach)), ("w", 7800.0, None)):
        held = Format(Scale.of(largest / reach), -reach, reach)
        source = QuantisedTensor(name, name, held, by_ranges=by_ranges)
        sum_ = Accumulation(name, name, (Multiple(source, name, 1.001),), np.zeros(1), 100)
        steps.append(LinearStep(sum_, QuantisedTensor(name, name, activation.format), activation))
    ends = {"a": 250.0, "w": 7800.0}
    statistics = {
        name: Statistics(-end, end, np.full(1, end**2), np.array([-end, end]), end)
        for name, end in ends.items()
    }
    precisions = choose_precision(steps, statistics)
    for step, precision in zip(steps, precisions, strict=True):
        sharing = [s.sum for s, p in zip(steps, precisions, strict=True) if p.table == precision.table]
        furthest = max(highest for sum_ in sharing for _, highest in [sum_.bounds()])
        (summand,) = step.sum.summands
        assert (furthest - summand.bounds_by_ranges()[0]) / unit * 2**precision.shift < MODULUS
