"""A model beside its float model: of a large one, layers are compared on the first samples only."""

from __future__ import annotations

import numpy as np

from deepprove_dist.importing.load import import_proto
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.deviation import Deviation
from deepprove_dist.quantise.float_model import LEAST_COMPARED, VALUES_TRIED, FloatModel
from deepprove_dist.quantise.ordinary import Marked
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.quantise.report import Comparison, compare
from tests.importing.onnx_comparison import model
from tests.quantise.test_float_model import samples_of

IMPORTED = import_proto(
    model(
        "g (float[1,4] x) => (float[1,3] y) <float[4,3] w = {1, 2, 3, 4, 5, 6, -7, 8, -9, 1, 1, -2}> "
        "{ h = MatMul (x, w)  y = Tanh (h) }"
    )
)
SAMPLES = samples_of(IMPORTED, 20)
ORDINARY = np.arange(20) % 4 != 1


def same(deviation: Deviation | None, other: Deviation | None) -> bool:
    assert deviation is not None
    assert other is not None
    return np.array_equal(deviation.errors, other.errors) and deviation.largest == other.largest


def compared(*, touched: int | None = None, count: int = 20) -> Comparison:
    float_model = FloatModel(IMPORTED)
    quantised = quantise(IMPORTED.graph, calibrate(float_model, SAMPLES))
    float_model.touched = touched or float_model.touched
    return compare(quantised, float_model, Marked(SAMPLES, ORDINARY).take(np.arange(count)))


def test_layers_of_a_large_model_are_compared_on_its_first_ordinary_samples() -> None:
    large, small = compared(touched=VALUES_TRIED), compared()
    # Up to the last of them.
    count = int(np.flatnonzero(ORDINARY)[LEAST_COMPARED - 1]) + 1
    first = compared(count=count)
    for layer, of_first, of_all in zip(large.layers, first.layers, small.layers, strict=True):
        assert same(layer.deviation, of_first.deviation)
        assert not same(layer.deviation, of_all.deviation)
    assert same(large.inputs["x"], first.inputs["x"])
    (output,), (of_all_samples,), (of_first_samples,) = large.outputs, small.outputs, first.outputs
    assert same(output.deviation, of_all_samples.deviation)
    assert not same(output.deviation, of_first_samples.deviation)
    assert large.samples == small.samples == len(SAMPLES)


def test_a_watch_sees_all_samples_in_their_order() -> None:
    float_model = FloatModel(IMPORTED)
    quantised = quantise(IMPORTED.graph, calibrate(float_model, SAMPLES))
    float_model.touched = VALUES_TRIED
    seen = list[int]()
    compare(
        quantised,
        float_model,
        Marked.by_inputs(SAMPLES),
        lambda index, expected, actual: seen.append(index),
    )
    assert seen == list(range(len(SAMPLES)))
