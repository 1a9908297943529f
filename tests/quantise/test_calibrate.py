"""Statistics of tensors: several calibrators at once, and values that are none."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.errors import QuantisationError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.quantise.calibrate import CHOSEN, Calibrator, Statistics, add_to, calibrate
from deepprove_dist.quantise.channels import Channels
from deepprove_dist.quantise.float_model import FloatModel
from tests.importing.onnx_comparison import model
from tests.quantise.test_float_model import samples_of

SAMPLES = [
    {"few": generator.normal(size=(1, 7)), "many": generator.normal(size=(2, CHOSEN))}
    for generator in map(np.random.default_rng, range(6))
]


def same(statistics: Statistics, other: Statistics) -> bool:
    ends = statistics.lowest == other.lowest and statistics.highest == other.highest
    squares = np.array_equal(statistics.mean_square, other.mean_square)
    elements = np.array_equal(statistics.elements, other.elements)
    return ends and squares and elements and statistics.spread == other.spread


def test_calibrators_that_share_samples_have_the_statistics_of_those_alone() -> None:
    whole, part, alone = Calibrator(), Calibrator(), Calibrator()
    for index, values in enumerate(SAMPLES):
        add_to((whole, part) if index % 3 else (whole,), values)
        if index % 3:
            alone.add(values)
    of_whole, of_part, of_alone = (calibrator.statistics() for calibrator in (whole, part, alone))
    for name in SAMPLES[0]:
        stacked = np.stack([values[name] for values in SAMPLES])
        assert of_whole[name].lowest == stacked.min()
        assert of_whole[name].highest == stacked.max()
        assert np.allclose(of_whole[name].mean_square, np.square(stacked).mean(axis=0))
        assert same(of_part[name], of_alone[name])
        assert not same(of_part[name], of_whole[name])


def test_views_and_numbers_have_the_squares_of_all_samples() -> None:
    calibrator = Calibrator()
    generator = np.random.default_rng(0)
    samples = [
        {"view": generator.normal(size=(5, 3)).T, "number": np.array(generator.normal())} for _ in range(4)
    ]
    for values in samples:
        calibrator.add(values)
    for name, statistics in calibrator.statistics().items():
        stacked = np.stack([values[name] for values in samples])
        assert np.allclose(statistics.mean_square, np.square(stacked).mean(axis=0))


def test_channels_have_their_ends() -> None:
    """Along whichever axis they are, on all samples."""
    weights = "float[4,2] w = {1, 2, 3, 4, 5, 6, 7, 8}"
    imported = import_proto(
        model(f"g (float[1,3,4] x) => (float[1,3,2] y) <{weights}> {{ y = MatMul (x, w) }}")
    )
    samples = samples_of(imported, 5)
    float_model, channels = FloatModel(imported), Channels(imported.graph)
    runs = list(float_model.run(samples))
    for name, statistics in calibrate(float_model, samples).items():
        rows = np.concatenate([channels.split(name, values[name]) for values in runs], axis=1)
        assert np.array_equal(statistics.channels[0], rows.min(axis=1))
        assert np.array_equal(statistics.channels[1], rows.max(axis=1))
        assert (statistics.lowest, statistics.highest) == (rows.min(), rows.max())


def test_of_a_large_tensor_some_elements_are_kept() -> None:
    calibrator = Calibrator()
    for values in SAMPLES:
        calibrator.add(values)
    statistics = calibrator.statistics()
    assert statistics["few"].elements.size == 7 * len(SAMPLES)
    assert statistics["many"].elements.size == CHOSEN * len(SAMPLES)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(QuantisationError, match="NaN or infinity in 'x'"):
        Calibrator().add({"x": np.array([[0.0, value, 1.0]])})
