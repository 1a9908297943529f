"""Rows that an input selects are a dense layer where the input is not known to be truth values."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.selected_rows import FloatRows
from deepprove_dist.protocol.system.scale import Scale


@pytest.mark.parametrize(
    ("interval", "kind", "bounds"),
    [((0, 1), "selected_rows", (0, 3)), ((0, 0), "selected_rows", (0, 3)), ((-3, 4), "dense", (-18, 24))],
)
def test_only_truth_values_select(interval: tuple[int, int], kind: str, bounds: tuple[float, float]) -> None:
    planner: Any = Mock()
    planner.planned_by_axis.return_value = QuantisedTensor("h", "h", Format(Scale.of(1.0), *interval))
    planner.shape.return_value = (1, 3)
    rows = FloatRows("rows", ("h",), "y", np.array([[1.0, 2.0, 3.0]]), np.zeros(1))
    (summand,), _ = rows.summands(1.0, planner)
    assert (summand.kind, summand.bounds()) == (kind, bounds)
