"""Constants are found in a model's file, and mapped from it, as the model holds them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings

from deepprove_dist.model import file as model_file
from deepprove_dist.model.constants import index_constants
from deepprove_dist.model.integer_model import IntegerModel
from tests.model.small_model import small_model
from tests.random_models import models


def check(model: IntegerModel, path: Path) -> None:
    """Locations in the file are those of the model's constants."""
    path.write_bytes(model_file.dump(model))
    locations = index_constants(path)
    assert set(locations) == set(model.constants)
    for name, values in model.constants.items():
        mapped = locations[name].map(path)
        assert mapped.shape == values.shape
        assert (mapped == values).all()


@given(model=models())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_constants_of_random_models(tmp_path: Path, model: IntegerModel) -> None:
    check(model, tmp_path / "model.integer")


def test_constants_of_every_width(tmp_path: Path) -> None:
    widths = {
        f"b{bits}": np.array([-(1 << bits), 0, (1 << bits) - 1], dtype=np.int64)[:, None]
        for bits in (7, 15, 31, 40)
    }
    model = small_model()
    check(replace(model, constants={**model.constants, **widths}), tmp_path / "model.integer")
    locations = index_constants(tmp_path / "model.integer")
    assert [locations[name].dtype for name in widths] == ["<i1", "<i2", "<i4", "<i8"]
