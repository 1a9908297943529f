"""Inexact models: what is warned of, with layer and cause, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import MagicMock

import numpy as np
import onnx
import pytest

from deepprove_dist.errors import Cause
from deepprove_dist.importing.load import import_proto
from deepprove_dist.quantise import table_sizes
from deepprove_dist.quantise.deviation import Deviation
from deepprove_dist.quantise.diagnosis import REFUSED, Diagnosis, _is_worse, diagnose
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.inquiry import Inquiry, Judged
from deepprove_dist.quantise.report import Comparison, OutputError
from deepprove_dist.quantise.select import quantise_best
from deepprove_dist.samples import Samples
from tests.importing.onnx_comparison import model
from tests.quantise import inexact
from tests.quantise.inexact import Inexact, network, normal, samples


def diagnosis_of(case: Inexact) -> Diagnosis:
    float_model = FloatModel(case.imported)
    selection = quantise_best(float_model, case.calibration, case.bits, case.method)
    return diagnose(float_model, selection, case.bits, case.others)


@pytest.mark.parametrize(
    ("case", "layer", "cause", "words"),
    [
        (inexact.outlying_sample, "x", Cause.OUTLIER, "1 of 75 calibration samples"),
        (inexact.outlying_values, "layer1", Cause.OUTLIER, "reaches 4e+06"),
        (inexact.worst_case_bound, "layer0", Cause.BOUND, "levels only"),
        (inexact.few_samples, "x", Cause.FEW_SAMPLES, "outside the range"),
        (inexact.constant_input, "z", Cause.CONSTANT_INPUT, "only zeros in 'z'"),
        (inexact.dead_layer, "a0", Cause.DEAD_TENSOR, "zero on all calibration samples"),
        (inexact.unlike_channels, "layer1", Cause.UNLIKE_CHANNELS, "of 16"),
        (inexact.clipped_range, "layer1", Cause.CLIPPING, "'percentile"),
        (inexact.few_bits, "layer1", Cause.FEW_BITS, "8 activation bits"),
        (lambda: inexact.few_bits(12, 2000.0), "layer1", Cause.AMPLIFICATION, "sums that cancel"),
        (inexact.noisy, "layer11", Cause.AMPLIFICATION, "in the float model too, noise of 0.1 %"),
    ],
)
def test_causes(case: Callable[[], Inexact], layer: str, cause: Cause, words: str) -> None:
    (warning,) = diagnosis_of(case()).warnings
    assert (warning.layer, warning.cause) == (layer, cause)
    assert words in warning.message
    assert warning.remedy.endswith(".")


def test_tables_that_a_key_has_no_room_for_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not diagnosis_of(inexact.curved()).warnings
    monkeypatch.setattr(table_sizes, "MOST_BENDS", 256)
    monkeypatch.setattr(table_sizes, "FEWEST_BENDS", 64)
    (warning,) = diagnosis_of(inexact.curved()).warnings
    assert (warning.layer, warning.cause) == ("layer0", Cause.COARSE_TABLES)
    assert "tables of functions (4) were made coarser" in warning.message
    assert warning.remedy.endswith(".")
    # Where tables are as coarse, and what errs is something else.
    monkeypatch.setattr(Inquiry, "cured_by", lambda inquiry, quantised: False)
    (warning,) = diagnosis_of(inexact.curved()).warnings
    assert warning.cause != Cause.COARSE_TABLES


def test_an_exact_model_has_no_warnings() -> None:
    diagnosis = diagnosis_of(inexact.exact())
    assert not diagnosis.warnings
    assert not diagnosis.refused
    assert diagnosis.held_out is not None
    assert diagnosis.scored is not None


def test_between_a_twentieth_and_a_fifth_is_warned_of_and_more_is_refused() -> None:
    warned, refused = diagnosis_of(inexact.few_bits()), diagnosis_of(inexact.few_bits(gain=100.0))
    assert warned.held_out is not None
    assert 0.05 < warned.held_out.outputs[0].deviation.relative < 0.2
    assert not warned.refused
    assert refused.held_out is not None
    assert refused.held_out.outputs[0].deviation.relative > 0.2
    assert refused.refused


def test_other_answers_are_warned_of_where_errors_are_small() -> None:
    """Two classes that are nearly always a hair apart."""
    weight = normal(8, 1)
    model = network((np.concatenate([weight, weight + 3e-3 * normal(8, 1, seed=1)], axis=1), ""))
    (warning,) = diagnosis_of(Inexact(model, samples(x=normal(200, 8, seed=2)))).warnings
    assert "answer to only" in warning.message


def test_a_small_channel_beside_a_large_one_is_warned_of() -> None:
    """The spread of the whole output hides that of an output a million times smaller."""
    out = np.concatenate([1e6 * normal(16, 7, seed=1), normal(16, 1, seed=4)], axis=1)
    model = network((normal(8, 16), "Relu"), (out, "Relu"))
    diagnosis = diagnosis_of(Inexact(model, samples(x=normal(600, 8, seed=2))))
    (warning,) = diagnosis.warnings
    assert (warning.layer, warning.cause) == ("layer1", Cause.UNLIKE_CHANNELS)
    assert "channel 7 of output" in warning.message
    assert not diagnosis.refused


def test_an_output_that_never_varies_is_named() -> None:
    model = network((np.zeros((8, 4)), ""))
    diagnosis = diagnosis_of(Inexact(model, samples(x=normal(50, 8))))
    assert [warning.cause for warning in diagnosis.warnings] == [Cause.DEAD_TENSOR]


def test_an_output_of_one_number_has_no_answers() -> None:
    diagnosis = diagnosis_of(Inexact(network((normal(8, 1), "")), samples(x=normal(50, 8))))
    assert [output.agreement for output in diagnosis.calibration.outputs] == [None]


def test_what_gives_its_input_back_has_no_answers() -> None:
    model = network((normal(8, 16), "Relu"), (normal(16, 8, seed=1), ""))
    diagnosis = diagnosis_of(Inexact(model, samples(x=normal(50, 8))))
    assert [output.agreement for output in diagnosis.calibration.outputs] == [None]


def test_equal_classes_are_no_disagreement() -> None:
    """Both columns are the same: either index is the float model's answer too."""
    column = normal(8, 1)
    imported = import_proto(network((np.concatenate([column, column], axis=1), "")))
    float_model = FloatModel(imported)
    selection = quantise_best(float_model, samples(x=normal(50, 8)))
    assert diagnose(float_model, selection, 8).calibration.outputs[0].agreement == 1


def test_inputs_and_outputs_without_axes() -> None:
    body = "(float x, float z) => (float y) { s = Mul (x, x) r = Relu (z) y = Add (s, r) }"
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> g {body}')
    values = {name: normal(50, seed=seed) for seed, name in enumerate("xz")}
    diagnosis = diagnosis_of(Inexact(model, Samples(values, None)))
    assert not diagnosis.refused
    assert [output.agreement for output in diagnosis.calibration.outputs] == [None]


def whole_sums(high: int) -> Diagnosis:
    source = model("g (int64[1,6] x) => (int64[1,6] y) <int64 q = {7}> { y = Add (x, q) }")
    values = np.random.default_rng(1).integers(0, high, (40, 1, 6)).astype(np.float64)
    float_model = FloatModel(import_proto(source))
    return diagnose(float_model, quantise_best(float_model, Samples({"x": values}, None), 8, "auto"), 8)


def test_integers_that_are_not_exact_are_warned_of() -> None:
    (warning,) = whole_sums(10**6).warnings
    assert "output 'y' has the float model's integers in only" in warning.message
    assert not whole_sums(10**5).warnings


def test_errors_that_the_samples_held_out_do_not_show_are_refused() -> None:
    """Those held out are far apart, of which large integers tell enough; the others are not."""
    source = model("g (int64[1,6] x, int64[1,6] z) => (bool[1,6] y) { y = Equal (x, z) }")
    random = np.random.default_rng(1)
    x = random.integers(0, 10**6, (40, 1, 6)).astype(np.float64)
    z = x + random.integers(0, 2, x.shape)
    float_model = FloatModel(import_proto(source))
    held = quantise_best(float_model, Samples({"x": x, "z": z}, None), 8, "auto").held_out
    assert held is not None
    far = np.array([(row == held.samples.inputs["x"]).all(axis=(1, 2)).any() for row in x])
    assert far.sum() == len(held.samples)
    z[far] = np.where(x[far] > 5 * 10**5, 0, 10**6)
    diagnosis = diagnose(
        float_model, quantise_best(float_model, Samples({"x": x, "z": z}, None), 8, "auto"), 8
    )
    assert diagnosis.held_out is not None
    assert diagnosis.held_out.outputs[0].deviation.relative == 0
    assert diagnosis.refused
    assert any("on the calibration samples" in warning.message for warning in diagnosis.warnings)


def test_decisions_that_are_never_true_are_no_dead_tensors() -> None:
    source = model(
        "g (float[1,6] x) => (int64[1] y) { a = Sigmoid (x) y = ArgMax <axis = 1, keepdims = 0> (a) }"
    )
    values = np.random.default_rng(1).normal(size=(40, 1, 6))
    values[..., 0] += 9
    float_model = FloatModel(import_proto(source))
    selection = quantise_best(float_model, Samples({"x": values}, None), 8, "auto")
    (warning,) = diagnose(float_model, selection, 8).warnings
    assert "output 'y' is the same on all calibration samples" in warning.message


@pytest.mark.parametrize(
    ("calibrated", "held_out", "worse"),
    [(0.8, 0.07, True), (0.08, 0.07, False), (0.08, 0.01, True), (0.01, 0.5, False), (0.03, 0.01, False)],
)
def test_a_final_model_that_is_worse_than_its_trial_is_judged(
    calibrated: float, held_out: float, worse: bool
) -> None:
    def verdict(error: float) -> Judged:
        deviation = Deviation(np.array([error]), np.array([1.0]), np.array([1.0]), error)
        comparison = Comparison({}, (), (OutputError("y", deviation, None, 0),), 20, {}, 0)
        return Judged(MagicMock(), MagicMock(), comparison, "samples", REFUSED)

    assert _is_worse(verdict(calibrated), verdict(held_out)) == worse
