"""Samples that cannot calibrate a model are refused, those that hardly can are warned of."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.errors import Cause, SamplesError
from deepprove_dist.quantise.usable import require_usable
from deepprove_dist.samples import Samples
from tests.quantise.inexact import normal, samples


@pytest.mark.parametrize(
    ("calibration", "text"),
    [
        (samples(x=normal(1, 4)), "one sample"),
        (samples(x=np.zeros((64, 4))), "64 calibration samples are all zero"),
        (samples(x=np.tile(normal(1, 4), (20, 1))), "20 calibration samples are all equal"),
        (samples(x=np.ones((20, 4)), z=np.zeros((20, 2))), "all equal"),
    ],
)
def test_samples_that_tell_no_ranges_are_refused(calibration: Samples, text: str) -> None:
    with pytest.raises(SamplesError, match=text) as caught:
        require_usable(calibration)
    assert "hundred or more samples" in str(caught.value)


def test_one_constant_input_of_several_is_warned_of() -> None:
    (warning,) = require_usable(samples(x=normal(20, 4), z=np.ones((20, 2))))
    assert (warning.layer, warning.cause) == ("z", Cause.CONSTANT_INPUT)


def test_few_samples_are_warned_of() -> None:
    (warning,) = require_usable(samples(x=normal(15, 4)))
    assert warning.cause == Cause.FEW_SAMPLES
    assert not require_usable(samples(x=normal(16, 4)))
