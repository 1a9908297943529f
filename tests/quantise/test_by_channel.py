"""Scales by channel after a norm: all channels are as fine as the one that reaches furthest, and audited."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

import deepprove_dist as dp
from deepprove_dist.importing.load import ImportedModel, import_proto
from deepprove_dist.model import file as model_file
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise import by_channel
from deepprove_dist.quantise.by_channel import LEAST, recorded_scales, relative_scales
from deepprove_dist.quantise.comparison import differences
from tests.operators.proving import assert_proven, compare, quantised, text_model
from tests.records import replace

WIDTH = 16
FAR = 30.0
"""How much further one channel reaches than the others."""

PRODUCTS = "n = LayerNormalization (x, g, b) l = MatMul (n, v) r = MatMul (n, w) y = Add (l, r)"
RESIDUAL = "n = LayerNormalization (x, g, b) l = MatMul (n, v) h = Relu (l) m = MatMul (h, v) y = Add (m, n)"
VIEW = "n = RMSNormalization (x, g) f = Reshape (n, s) l = MatMul (f, v) y = Reshape (l, t)"


def constants(far: float) -> str:
    generator = np.random.default_rng(1)
    gains = np.ones(WIDTH)
    gains[3] = far
    weights = generator.normal(size=(2, WIDTH, WIDTH))
    weights[:, 3] /= far
    numbers = {"g": gains, "b": 0.1 * gains, "v": weights[0], "w": weights[1]}
    written = []
    for name, values in numbers.items():
        shape, entries = ",".join(map(str, values.shape)), ", ".join(f"{x:.6f}" for x in values.ravel())
        written.append(f"float[{shape}] {name} = {{{entries}}}")
    return ", ".join([*written, f"int64[2] s = {{6, {WIDTH}}}", f"int64[3] t = {{1, 6, {WIDTH}}}"])


@lru_cache
def network(body: str, far: float = FAR) -> ImportedModel:
    return import_proto(text_model(body, f"float[1,6,{WIDTH}] x", constants(far), opset=23))


def scale_of(model: IntegerModel, tensor: str) -> Scale:
    return model.formats[tensor].scale


def error(imported: ImportedModel) -> float:
    close, real = compare(imported, *quantised(imported))
    return float(np.sqrt(np.mean(np.square(close - real))) / real.std())


@pytest.mark.parametrize("body", [PRODUCTS, RESIDUAL, VIEW])
def test_a_channel_that_reaches_far_takes_nothing_from_the_others(
    body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Models are proven and audited. The error is that of the same function without such a channel."""
    scale = scale_of(quantised(network(body))[0], "n")
    assert scale.shape == (1, 1, WIDTH)
    assert max(scale.values) > FAR / 2 * np.median(scale.values)
    with_scales = error(network(body))
    monkeypatch.setattr(by_channel, "UNLIKE", 0.0)
    assert scale_of(quantised(network(body))[0], "n").is_single
    assert with_scales < 0.2 * error(network(body))
    if body != RESIDUAL:
        assert with_scales < 1.5 * error(network(body, 1.0))


@pytest.mark.parametrize(
    ("body", "far"),
    [
        (PRODUCTS, 1.0),
        ("n = LayerNormalization (x, g, b) h = Tanh (n) k = Add (h, n) y = MatMul (k, v)", FAR),
        ("n = LayerNormalization (x, g, b) h = Mul (n, x) k = Add (h, n) y = MatMul (k, v)", FAR),
    ],
)
def test_channels_that_are_alike_or_meet_other_readers_have_one_scale(body: str, far: float) -> None:
    model, _ = quantised(network(body, far))
    assert all(format.scale.is_single for format in model.formats.values())


def test_such_a_model_is_proven_in_both_modes_and_read_from_its_file() -> None:
    source = text_model(RESIDUAL, f"float[1,6,{WIDTH}] x", constants(FAR), opset=23)
    model = assert_proven(source, 0.05)
    again = model_file.load(model_file.dump(model))
    assert again.formats == model.formats
    assert differences(again, network(RESIDUAL).graph) == []


def test_an_audit_asks_for_scales_that_quantisation_may_choose() -> None:
    imported = network(PRODUCTS)
    model, _ = quantised(imported)
    values = np.array(scale_of(model, "n").values)
    largest = values.max()
    for wrong in (
        values * np.where(values < largest, 1.001, 1.0),
        np.where(values < largest, LEAST / 3, 1.0),
    ):
        assert _problems(model, imported, wrong.reshape(1, 1, -1))
    # Other scales that it may choose are those of other weights.
    coarser = np.where(values < largest, 2 * values, values).reshape(1, 1, -1)
    assert any("numbers of" in problem for problem in _problems(model, imported, coarser))
    assert _problems(
        model, imported, np.broadcast_to(values, (1, 6, WIDTH)) * np.arange(1, 7).reshape(1, 6, 1)
    )
    other = network("n = LayerNormalization (x, g, b) h = Relu (n) y = MatMul (h, v)")
    plain, _ = quantised(other)
    *_, name = (node.output for node in plain.nodes if node.operator == "requantise")
    changed = replace(plain, formats={**plain.formats, name: model.formats["n"]})
    assert any("scales by channel" in problem for problem in differences(changed, other.graph))


def _problems(
    model: IntegerModel, imported: ImportedModel, scales: np.typing.NDArray[np.float64]
) -> list[str]:
    format = replace(model.formats["n"], scale=Scale.from_array(scales))
    return differences(replace(model, formats={**model.formats, "n": format}), imported.graph)


def test_scales_follow_from_what_is_recorded() -> None:
    generator = np.random.default_rng(0)
    for _ in range(200):
        reach = np.exp(generator.normal(0, 3, size=64))
        scales = relative_scales((-reach, reach / 2), 64)
        assert scales.max() == 1
        assert (scales >= np.minimum(1, reach / reach.max())).all()
        unit = float(np.exp(generator.normal(0, 5)))
        recorded = Scale.from_array((unit * scales).reshape(1, 1, -1))
        read = recorded_scales(recorded, (1, 5, 64))
        assert read is not None
        assert np.array_equal(read, scales)
        assert np.array_equal(recorded.array.max() * read, recorded.array.ravel())


@pytest.mark.parametrize(
    "ends", [(np.zeros(0), np.zeros(0)), (np.zeros(4), np.zeros(4)), (-np.ones(4), np.ones(4))]
)
def test_channels_without_a_reach_or_with_the_same_have_one_scale(
    ends: tuple[np.typing.NDArray[np.float64], np.typing.NDArray[np.float64]],
) -> None:
    assert (relative_scales(ends, 4) == 1).all()


def test_a_report_measures_such_a_layer_channel_by_channel() -> None:
    source = text_model(RESIDUAL, f"float[1,6,{WIDTH}] x", constants(FAR), opset=23)
    samples = np.random.default_rng(2).normal(size=(32, 1, 6, WIDTH))
    report = dp.setup(source, samples, activation_bits=8, transparent=True).report
    (layer,) = (layer for layer in report.layers if layer.kind == "linear_map")
    assert layer.error is not None
    assert layer.error < 0.01
