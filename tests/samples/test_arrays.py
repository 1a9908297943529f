"""Arrays of samples: their shapes and values."""

from typing import Any

import numpy as np
import pytest

from deepprove_dist.errors import SamplesError
from deepprove_dist.samples import (
    arrange,
    arrange_one_or_more,
)


@pytest.mark.parametrize(
    ("shape", "given", "samples"),
    [
        ((1, 4), (4,), 1),
        ((1, 4), (4, 1), 1),
        ((1, 4), (1, 1, 4), 1),
        ((1, 4), (3, 4), 3),
        ((1, 4), (3, 1, 4), 3),
        ((1, 3, 8, 8), (3, 8, 8), 1),
        ((1, 3, 8, 8), (192,), 1),
        ((1, 3, 8, 8), (5, 192), 5),
        ((1, 3, 8, 8), (5, 1, 3, 8, 8), 5),
        ((4, 4), (4, 4), 1),
        ((4, 4), (4, 4, 4), 4),
        ((), (), 1),
        ((), (5,), 5),
        ((1, 1), (5,), 5),
        ((1, 4), (2, 2), None),
        ((1, 4), (8,), None),
        ((1, 4), (2, 2, 2), None),
        ((1, 4), (), None),
        ((1, 4), (0,), None),
        ((1, 4), (0, 4), None),
        ((1, 3, 8, 8), (8, 8, 3), None),
        ((1, 3, 8, 8), (5, 8, 8, 3), None),
        ((2, 8), (8, 2), None),
    ],
)
def test_arrays_are_never_reshaped_but_by_ones(
    shape: tuple[int, ...], given: tuple[int, ...], samples: int | None
) -> None:
    values = np.arange(float(np.prod(given))).reshape(given)
    if samples is None:
        with pytest.raises(SamplesError, match=r"x has the shape|x holds no samples"):
            arrange_one_or_more("x", values, shape)
    else:
        arranged = arrange_one_or_more("x", values, shape)
        assert arranged.shape == (samples, *shape)
        assert (arranged.ravel() == values.ravel()).all()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (np.full(4, 1j), "holds complex128 values"),
        (["1", "2", "3", "4"], "holds <U1 values"),
        ([[1, 2], [3]], "differ in length"),
        ([None, 1, 2, 3], "holds object values"),
        ({"a": 1}, "holds object values"),
        (np.zeros(4, "datetime64[s]"), "values, not numbers"),
        (np.full(4, np.nan), "NaN or infinite"),
        (np.full(4, np.longdouble("1e4000")), "NaN or infinite"),
    ],
)
def test_values_that_are_no_numbers(values: Any, text: str) -> None:
    with pytest.raises(SamplesError, match=text):
        arrange_one_or_more("x", values, (1, 4))


def test_axes_in_another_order_are_refused() -> None:
    with pytest.raises(SamplesError):
        arrange("x", np.zeros((5, 8, 8, 3)), (1, 3, 8, 8))
