"""Scores against labels and targets, and samples that have neither."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.errors import SamplesError
from deepprove_dist.importing.load import ImportedModel, import_proto
from deepprove_dist.quantise.diagnosis import Diagnosis, diagnose
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.score import Score
from deepprove_dist.quantise.select import quantise_best
from deepprove_dist.samples import Samples
from tests.quantise.inexact import network, normal, samples

VALUES = normal(60, 8)


def imported(outputs: int) -> ImportedModel:
    return import_proto(network((normal(8, outputs, seed=1), "")))


def scored(model: ImportedModel, labels: IntArray | None, targets: FloatArray | None = None) -> Diagnosis:
    float_model = FloatModel(model)
    selection = quantise_best(float_model, samples(x=VALUES))
    wider = Samples(samples(x=VALUES).inputs, labels, targets)
    return diagnose(float_model, selection, 8, wider)


def float_outputs(model: ImportedModel) -> FloatArray:
    runs = FloatModel(model).run(samples(x=VALUES))
    return np.stack([values["h0"].ravel() for values in runs])


def test_accuracy_on_labels() -> None:
    model = imported(4)
    labels = float_outputs(model).argmax(axis=1)
    labels[:15] = (labels[:15] + 1) % 4
    diagnosis = scored(model, labels)
    assert diagnosis.score.float_accuracy == 0.75
    assert diagnosis.score.quantised_accuracy == pytest.approx(0.75, abs=0.04)
    assert diagnosis.score.float_error is None
    assert diagnosis.scored is not None
    assert (diagnosis.scored.samples, diagnosis.scored.clamped) == (60, 0)


@pytest.mark.parametrize("outputs", [1, 3])
def test_distance_from_targets(outputs: int) -> None:
    model = imported(outputs)
    score = scored(model, None, float_outputs(model) + 0.5).score
    assert score.float_error == pytest.approx(0.5, rel=1e-5)
    assert score.quantised_error == pytest.approx(0.5, rel=0.02)
    assert score.float_accuracy is None


def test_whole_targets_of_one_number_are_targets() -> None:
    model = imported(1)
    labels = np.rint(float_outputs(model)[:, 0]).astype(np.int64)
    score = scored(model, labels).score
    assert score.float_accuracy is None
    assert score.float_error is not None
    assert score.float_error < 0.5


def test_samples_without_labels_compare_the_two_models() -> None:
    diagnosis = scored(imported(4), None)
    assert diagnosis.score == Score()
    assert diagnosis.scored is not None
    assert diagnosis.scored.outputs[0].agreement is not None


@pytest.mark.parametrize(
    ("labels", "targets", "text"),
    [
        (np.full(60, 4), None, "labels up to 4, which fit no output"),
        (np.full(60, -1), None, "counted from 0"),
        (None, np.zeros((60, 3)), "targets of 3 values, which fit no output"),
    ],
)
def test_what_fits_no_output_is_refused(
    labels: IntArray | None, targets: FloatArray | None, text: str
) -> None:
    with pytest.raises(SamplesError, match=text):
        scored(imported(4), labels, targets)
