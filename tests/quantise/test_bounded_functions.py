"""Results of bounded functions have the whole range, so layers share a table."""

from __future__ import annotations

import numpy as np
import pytest

import deepprove_dist as dp
from deepprove_dist.operators.function_properties import limits
from deepprove_dist.operators.pointwise import IDENTITY, call
from tests.quantise.inexact import network, normal


def test_limits_of_functions() -> None:
    assert limits(call(np.tanh, IDENTITY)) == (-1.0, 1.0)
    assert limits(call(np.sqrt, IDENTITY)) is None
    assert limits(IDENTITY) is None


@pytest.mark.parametrize(("operator", "shared"), [("Sigmoid", True), ("Softplus", False)])
def test_layers_of_a_bounded_function_share_a_table(operator: str, shared: bool) -> None:
    layers = [(normal(16, 16, seed=seed), operator) for seed in range(3)]
    model = network(*layers, (normal(16, 4), ""))
    keys = dp.setup(
        model,
        normal(15, 16, seed=9),
        transparent=True,
        threads=1,
        accept_error=True,
        calibration_method="max",
    )
    functions = [table for table in keys.verifying.content.system.tables if table.function is not None]
    assert (len(functions) < len(layers)) == shared
