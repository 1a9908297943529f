"""Scales: one number or one for each channel, canonical in files, broadcast as numpy arrays are."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepprove_dist.errors import FormatError
from deepprove_dist.protocol.system.scale import Scale

NUMBERS = st.sampled_from([0.25, 0.5, 3.0])


@given(arrays(np.float64, st.sampled_from([(), (1,), (3,), (2, 3), (1, 2, 2)]), elements=NUMBERS))
def test_a_scale_broadcasts_to_the_array_that_it_was_made_from(array: npt.NDArray[np.float64]) -> None:
    scale = Scale.from_array(array)
    assert scale.fits(array.shape)
    assert (np.broadcast_to(scale.array, array.shape) == array).all()
    assert (array * np.asarray(scale) == array * scale.array).all()
    assert not scale.array.flags.writeable
    assert np.asarray(scale).flags.writeable
    assert scale.is_single_precision
    scale.require(array.shape, "x")
    assert scale.is_single == (np.ptp(array) == 0)
    varies = [axis for axis in range(array.ndim) if (array != array.take([0], axis)).any()]
    assert list(scale.varies_along(array.shape)) == varies


@pytest.mark.parametrize("number", [0.0, -1.0, 9e-151, 2e150, float("inf"), float("nan")])
def test_numbers_that_scale_nothing_are_refused(number: float) -> None:
    with pytest.raises(FormatError, match="'x' has a scale"):
        Scale.of(number).require((2, 3), "x")


@pytest.mark.parametrize(
    ("sizes", "values"),
    [
        ((2, 3), (1.0,) * 6),
        ((2, 1), (1.0, 1.0)),
        ((2, 1), (1.0, -2.0)),
        ((2, 1), (1.0, 5e-324)),
        ((2, 1), (1.0, 2.0, 3.0)),
        ((1, 2), (1.0, 2.0)),
        ((2,), (1.0, 2.0)),
        ((-2, -1), (1.0, 2.0)),
    ],
)
def test_scales_that_are_not_canonical_are_refused(sizes: tuple[int, ...], values: tuple[float, ...]) -> None:
    with pytest.raises(FormatError, match="'x' has a scale"):
        Scale(sizes, values).require((2, 3), "x")


@pytest.mark.parametrize(
    ("sizes", "values", "shape"),
    [
        ((0,), (), (0,)),
        ((-1, -1), (1.0,), (-1, -1)),
        ((-1, -2), (1.0, 2.0), (-1, -2)),
        ((2, *[1] * 70), (1.0, 2.0), (2,) + (1,) * 70),
    ],
)
def test_shapes_that_no_tensor_has_are_refused(
    sizes: tuple[int, ...], values: tuple[float, ...], shape: tuple[int, ...]
) -> None:
    with pytest.raises(FormatError, match="'x' has a scale"):
        Scale(sizes, values).require(shape, "x")
