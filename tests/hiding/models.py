"""Models of one shape that give equal outputs for all inputs, or for one."""

from __future__ import annotations

import numpy as np

from deepprove_dist.model.integer_model import IntegerModel
from tests.hiding.toy import B1, W1, W2, toy_model

PERMUTATION = [2, 0, 1]
UNUSED = np.array([[1, 2, 0], [0, 1, 0]], dtype=np.int64)
"""W2 that uses two of the three hidden units."""


def permuted() -> IntegerModel:
    """The toy model with its hidden units in another order."""
    return toy_model(W1[PERMUTATION], B1[PERMUTATION], W2[:, PERMUTATION])


def unused_unit_changed(version: int) -> IntegerModel:
    """Two models that differ in a hidden unit that no output uses."""
    w1, b1 = W1.copy(), B1.copy()
    if version:
        w1[2], b1[2] = [1, 1], -1
    return toy_model(w1, b1, UNUSED)
