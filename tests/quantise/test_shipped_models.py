"""The shipped networks: quantised on calibration samples, they classify held-out ones as the float networks
do.
"""

from pathlib import Path

import numpy as np
import pytest

from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.importing.load import import_model
from deepprove_dist.model.file import dump, load
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.validate import analyse
from deepprove_dist.quantise.diagnosis import diagnose
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.select import quantise_best
from deepprove_dist.samples import read_samples
from deepprove_dist.samples.rounding import quantise_inputs

ASSETS = Path(__file__).parents[2] / "assets" / "models"
NAMES = [
    "digits_cnn264k",
    "digits_lenet62k",
    "digits_mlp",
    "digits_resnet",
    "digits_smooth",
    "iris_mlp_d1_w10",
    "iris_mlp_d4_w128",
    "iris_mlp_d5_w100",
    "iris_mlp_d7_w50",
]


@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize("name", NAMES)
def test_accuracy_errors_and_bounds(name: str, bits: int) -> None:
    imported = import_model(ASSETS / name / "model.onnx")
    shapes = {tensor: imported.graph.shapes[tensor] for tensor in imported.graph.inputs}
    float_model = FloatModel(imported)
    selection = quantise_best(float_model, read_samples(ASSETS / name / "calibration.npz", shapes), bits)
    quantised = selection.final.quantised
    held_out = read_samples(ASSETS / name / "test.npz", shapes)

    diagnosis = diagnose(float_model, selection, bits, held_out)
    assert not diagnosis.warnings
    assert not diagnosis.refused
    assert diagnosis.score.float_accuracy is not None
    assert diagnosis.score.quantised_accuracy is not None
    assert diagnosis.score.quantised_accuracy >= diagnosis.score.float_accuracy - 0.005
    assert diagnosis.scored is not None
    assert diagnosis.scored.outputs[0].agreement is not None
    assert diagnosis.scored.outputs[0].agreement >= 0.99
    for error in diagnosis.scored.layers:
        assert error.relative is not None
        assert error.relative < 0.025
        assert error.layer.table_size << error.layer.shift <= MODULUS
        assert sum(error.layer.limbs) == error.layer.shift

    model = load(dump(quantised.model))
    corners = [
        np.where(sign > 0, held_out.inputs["input"][:1], -held_out.inputs["input"][:1]) for sign in (1, -1)
    ]
    extremes = [np.full_like(corners[0], value) for value in (1e6, -1e6)]
    intervals = analyse(model).intervals
    for values in (*corners, *extremes):
        trace = IntegerRunner(model).run(quantise_inputs(model, {"input": values}, clamp=True))
        for tensor, value in trace.values.items():
            assert intervals[tensor][0] <= value.min()
            assert value.max() <= intervals[tensor][1]
        assert np.abs(trace.outputs["output"]).max() <= LARGEST_SIGNED


def test_input_file_agrees_with_the_network_that_made_it() -> None:
    imported = import_model(ASSETS / "digits_mlp" / "model.onnx")
    samples = read_samples(ASSETS / "digits_mlp" / "input.json", {"input": (1, 1, 8, 8)})
    assert samples.labels is not None
    classes = [int(values["output"].argmax()) for values in FloatModel(imported).run(samples)]
    assert np.mean(classes == samples.labels) > 0.9
