"""Samples that are given as such, and the choice of some of them."""

from typing import Any

import numpy as np
import pytest

from deepprove_dist.errors import SamplesError
from deepprove_dist.samples import (
    Samples,
)

ROWS = np.arange(12.0).reshape(3, 4)


def test_samples_given_as_such_are_checked() -> None:
    shapes = {"x": (1, 4), "z": (1, 2)}
    values = {"x": ROWS, "z": np.ones((3, 2))}
    assert Samples(values).checked(shapes).inputs["z"].shape == (3, 1, 2)
    wrong: list[tuple[dict[str, Any], Any, str]] = [
        ({"x": ROWS}, None, r"samples are of \['x'\]"),
        ({**values, "z": np.ones((3, 3))}, None, "rows of shape"),
        ({**values, "z": np.ones((2, 2))}, None, "different numbers of samples"),
        ({**values, "z": np.full((3, 2), np.inf)}, None, "NaN or infinite"),
        (values, np.zeros(2, np.int64), "2 labels for 3 samples"),
    ]
    for inputs, labels, text in wrong:
        with pytest.raises(SamplesError, match=text):
            Samples(inputs, labels).checked(shapes)


@pytest.mark.parametrize("index", [-1, 3])
def test_samples_out_of_range(index: int) -> None:
    with pytest.raises(SamplesError, match="no sample"):
        Samples({"x": ROWS}, None).select(index)
