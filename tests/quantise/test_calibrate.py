"""Statistics of tensors: those of a trial beside those of all samples, and values that are none."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.errors import QuantisationError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.quantise import calibrate as calibrate_module
from deepprove_dist.quantise.calibrate import CHOSEN, Calibrator, Statistics, calibrate
from deepprove_dist.quantise.channels import Channels
from deepprove_dist.quantise.float_model import FloatModel
from tests.importing.onnx_comparison import model
from tests.quantise.test_float_model import samples_of

SAMPLES = [
    {"few": generator.normal(size=(1, 7)), "many": generator.normal(size=(2, CHOSEN))}
    for generator in map(np.random.default_rng, range(6))
]


def same(statistics: Statistics, other: Statistics) -> bool:
    """All but the mean squares, which a trial shares."""
    ends = statistics.lowest == other.lowest and statistics.highest == other.highest
    channels = np.array_equal(statistics.channels, other.channels)
    elements = np.array_equal(statistics.elements, other.elements)
    return ends and channels and elements and statistics.spread == other.spread


@pytest.mark.parametrize("threads", [0, 2])
def test_a_trial_has_the_statistics_of_its_samples(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate_module, "SHARED", 0)
    calibrator, alone = Calibrator(), Calibrator()
    for index, values in enumerate(SAMPLES):
        calibrator.add(values, held_out=index % 3 == 0, threads=threads)
        if index % 3:
            alone.add({"few": values["few"]})
    of_all, of_trial = calibrator.statistics()
    assert same(of_trial["few"], alone.statistics()[0]["few"])
    for name in SAMPLES[0]:
        stacked = np.stack([values[name] for values in SAMPLES])
        of_part = np.delete(stacked, [0, 3], axis=0)
        assert (of_all[name].lowest, of_all[name].highest) == (stacked.min(), stacked.max())
        assert (of_trial[name].lowest, of_trial[name].highest) == (of_part.min(), of_part.max())
        assert np.allclose(of_all[name].mean_square, np.square(stacked).mean(axis=0))
        assert of_trial[name].mean_square is of_all[name].mean_square
        assert not same(of_trial[name], of_all[name])


def test_elements_are_those_at_their_positions() -> None:
    calibrator = Calibrator()
    for values in SAMPLES:
        calibrator.add(values)
    for name, statistics in calibrator.statistics()[0].items():
        chosen = zip(SAMPLES, statistics.positions, strict=True)
        expected = [values[name].ravel()[positions] for values, positions in chosen]
        assert np.array_equal(statistics.elements, np.concatenate(expected))


def test_statistics_over_scales_are_those_of_the_quotients() -> None:
    """Of a large tensor too, of which other elements are kept of each sample."""
    scales = np.arange(CHOSEN, dtype=np.float64) % 7 + 1
    plain, divided = Calibrator(), Calibrator()
    for values in SAMPLES:
        plain.add({"many": values["many"]})
        divided.add({"many": values["many"] / scales})
    of_plain, of_divided = (calibrator.statistics()[0]["many"] for calibrator in (plain, divided))
    assert np.allclose(of_plain.divided(scales).elements, of_divided.elements)


def test_views_and_numbers_have_the_squares_of_all_samples() -> None:
    calibrator = Calibrator()
    generator = np.random.default_rng(0)
    samples = [
        {"view": generator.normal(size=(5, 3)).T, "number": np.array(generator.normal())} for _ in range(4)
    ]
    for values in samples:
        calibrator.add(values)
    for name, statistics in calibrator.statistics()[0].items():
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
    statistics, _ = calibrator.statistics()
    assert statistics["few"].elements.size == 7 * len(SAMPLES)
    assert statistics["many"].elements.size == CHOSEN * len(SAMPLES)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(QuantisationError, match="NaN or infinity in 'x'"):
        Calibrator().add({"x": np.array([[0.0, value, 1.0]])})
