"""Some tensors of an inference are those of the whole one, however samples are cut and shared out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from deepprove_dist import narrow_integers
from deepprove_dist.errors import SamplesError
from deepprove_dist.model import inference, operator_threads
from deepprove_dist.model.inference import (
    AT_ONCE,
    VALUES_AT_ONCE,
    InferenceTrace,
    IntegerRunner,
    samples_at_once,
)
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.lower import lower
from deepprove_dist.model.validate import derive
from deepprove_dist.narrow_integers import Integers, narrowest
from deepprove_dist.operators import conv, requantise
from deepprove_dist.operators.integer_operator import Parts
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.samples.rounding import quantise_inputs
from tests.lowering.networks import Network, depthwise, lenet, residual
from tests.model.small_model import small_model
from tests.operators.end_to_end import network, quantised

BODIES = (
    "(float[1,6] x) => (float y) { s = Sigmoid (x) p = Mul (s, x) y = Softmax (p) }",
    "(float[1,2,5,5] x) => (float y) { m = MaxPool <kernel_shape = [2, 2]> (x) y = Mul (m, m) }",
    "(float[1,6] x, float[1,6] z) => (float y) { m = Max (x, z) d = Sub (m, x) y = Tanh (d) }",
)
NO_WINDOW = {"strides": (), "pads": (), "dilations": ()}
INPUTS = {"x": np.arange(-8, 4).reshape(3, 1, 2, 2)}


@pytest.mark.parametrize("body", BODIES)
def test_outputs_without_columns_are_those_with_them(body: str) -> None:
    result = quantised(network(body))
    inputs = quantise_inputs(result.model, result.samples.inputs)
    trace = IntegerRunner(result.model).run(inputs)
    for node in result.model.nodes:
        arguments = [
            result.model.constants[name] if name in result.model.constants else trace.values[name]
            for name in node.inputs
        ]
        output = OPERATORS[node.operator].output(node, arguments)
        assert np.array_equal(output, trace.values[node.output])


@pytest.mark.parametrize("threads", [0, 1, 2])
@pytest.mark.parametrize("at_once", [1, 2, 3])
@pytest.mark.parametrize("kept", [("y",), ("x", "flat"), ("acc", "h", "y"), ()])
def test_some_tensors_in_parts(kept: tuple[str, ...], at_once: int, threads: int) -> None:
    runner = IntegerRunner(small_model())
    values = runner.run(INPUTS).values
    parts = list(runner.tensors(INPUTS, kept, at_once, threads))
    assert [set(part) for part in parts] == [set(kept)] * -(-3 // at_once)
    for name in kept:
        assert np.array_equal(np.concatenate([part[name] for part in parts]), values[name])


def test_layers_that_are_computed_elsewhere_are_so_for_some_tensors_too() -> None:
    model = small_model()
    runner = IntegerRunner(model, {"acc": lambda flat: flat @ model.constants["w1"].T})
    (part,) = runner.tensors(INPUTS, ("acc", "h"))
    trace = runner.run(INPUTS)
    assert np.array_equal(part["acc"], trace.values["acc"])
    assert np.array_equal(part["h"], trace.values["h"])
    assert not np.array_equal(part["acc"], IntegerRunner(model).run(INPUTS).values["acc"])


SCALE = Scale.of(1.0)
NARROW = np.array([100, -100, 3], dtype=np.int8)
MASK = np.array([1, 0, 1], dtype=np.int8)
NARROW_NODES = [
    (Node("weighted_sum", "sum", ("x", "c"), "y", {"multipliers": (1, 100), "constant": 0}), NARROW),
    (Node("mask", "mask", ("x", "c"), "y", {"shift": 5000}), MASK),
    (Node("dense", "dense", ("x", "c"), "y", {}), np.full((2, 3), 127, dtype=np.int8)),
]


@pytest.mark.parametrize(("node", "constant"), NARROW_NODES, ids=lambda value: getattr(value, "name", ""))
def test_narrow_constants_of_large_models_do_not_wrap(
    node: Node, constant: Integers, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = (ModelTensor("x", (3,), -5, 5, SCALE),)
    analysis = derive(inputs, {"c": constant}, [node])
    outputs = (ModelTensor("y", analysis.shapes["y"], *analysis.intervals["y"], SCALE),)
    model, x = IntegerModel(inputs, outputs, {"c": constant}, (node,)), {"x": np.array([[5, -5, 4]])}
    expected = IntegerRunner(model).run(x).outputs["y"]
    assert abs(expected).max() > np.iinfo(np.int8).max
    for name in ("MOST_CONVERTED", "LARGE"):
        monkeypatch.setattr(f"deepprove_dist.model.inference.{name}", 0)
    runner = IntegerRunner(model)
    assert np.array_equal(runner.run(x).outputs["y"], expected)
    assert np.array_equal(runner.outputs(x)["y"], expected)


def test_inputs_that_do_not_fit_are_refused_for_some_tensors_too() -> None:
    with pytest.raises(SamplesError, match="takes integers"):
        list(IntegerRunner(small_model()).tensors({"x": np.zeros((3, 2), np.int64)}, ("y",)))


def test_how_many_samples_are_run_at_once() -> None:
    assert samples_at_once(0) == samples_at_once(10) == AT_ONCE
    assert samples_at_once(VALUES_AT_ONCE // 4) == 4
    assert samples_at_once(VALUES_AT_ONCE) == samples_at_once(100 * VALUES_AT_ONCE) == 1


def two_dimensional() -> IntegerModel:
    """A convolution over one axis, and one without a bias."""
    network = Network((1, 3, 9))
    x = network.relu(network.conv("x", (4, 3, 2), pads=(1, 0)))
    weight = network.constant((2, 4, 3))
    attributes = {"strides": (2,), "pads": (0, 0), "dilations": (1,), "groups": 1}
    return network.model(network.relu(network.node("conv", (x, weight), attributes)))


def short() -> IntegerModel:
    """Fewer rows of positions than there are parts, and windows over no axis."""
    network = Network((1, 3, 2, 2))
    x = network.relu(network.conv("x", (4, 3, 2, 2)))
    x = network.node("reshape", (x,), {"shape": (1, 4)})
    return network.model(network.relu(network.linear("conv", x, (2, 4), {**NO_WINDOW, "groups": 1})))


def _parts(node: Node, model: IntegerModel, trace: InferenceTrace) -> Parts | None:
    arguments = [
        model.constants[name].astype(np.float64) if name in model.constants else trace.values[name]
        for name in node.inputs
    ]
    return OPERATORS[node.operator].parts(node, arguments, 2)


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("make", [lenet, residual, depthwise, two_dimensional, short])
def test_parts_of_layers_are_the_whole(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], IntegerModel], samples: int, threads: int
) -> None:
    """However many threads compute them: values and columns, of the same types."""
    monkeypatch.setattr(conv, "LEAST_PRODUCTS", 0)
    monkeypatch.setattr(requantise, "LEAST_VALUES", 0)
    model = make()
    (tensor,) = model.inputs
    x = np.random.default_rng(0).integers(tensor.lo, tensor.hi + 1, (samples, *tensor.shape))
    expected = IntegerRunner(model).run({"x": x})
    for unfolded in (conv.LARGEST_UNFOLDED, 1):
        monkeypatch.setattr(conv, "LARGEST_UNFOLDED", unfolded)
        trace = IntegerRunner(model, threads=threads).run({"x": x})
        assert trace.values.keys() == expected.values.keys()
        assert trace.columns.keys() == expected.columns.keys()
        pairs = [(trace.values[name], values) for name, values in expected.values.items()]
        pairs += [(trace.columns[name], values) for name, values in expected.columns.items()]
        for actual, whole in pairs:
            assert np.array_equal(actual, whole)
            assert actual.dtype == whole.dtype
    operators = {node.operator for node in model.nodes if _parts(node, model, expected) is not None}
    assert "requantise" in operators


@pytest.mark.parametrize("make", [lenet, residual, depthwise, two_dimensional, short])
def test_large_arrays_are_narrow_and_hold_the_same(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], IntegerModel]
) -> None:
    """As if all were large: what later nodes read of them, too, and what a proof commits to."""
    model = make()
    (tensor,) = model.inputs
    x = np.random.default_rng(0).integers(tensor.lo, tensor.hi + 1, (2, *tensor.shape))
    expected, lowered = IntegerRunner(model).run({"x": x}), lower(model)
    monkeypatch.setattr(narrow_integers, "LARGE", 0)
    monkeypatch.setattr(operator_threads, "LARGE", 0)
    monkeypatch.setattr(requantise, "LARGE", 0)
    trace = IntegerRunner(model).run({"x": x})
    pairs = [(trace.values[name], values) for name, values in expected.values.items() if name != "x"]
    pairs += [(trace.columns[name], values) for name, values in expected.columns.items()]
    for narrow, wide in pairs:
        assert np.array_equal(narrow, wide)
        assert narrow.dtype == narrowest(wide) or narrow.dtype.itemsize < 8
    for source in lowered.sources.values():
        read, whole = (source.read(run.values, run.columns) for run in (trace, expected))
        assert np.array_equal(read, whole)
    assert all(values.dtype == np.int64 for values in trace.outputs.values())


def test_large_tensors_that_nobody_keeps_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model()
    assert IntegerRunner(model, kept=("h",)).run(INPUTS).values.keys() > {"x", "h", "y", "acc"}
    monkeypatch.setattr(inference, "LARGE_TENSOR", 0)
    trace = IntegerRunner(model, kept=("h",)).run(INPUTS)
    assert trace.values.keys() == {"x", "h", "y"}
    assert np.array_equal(trace.outputs["y"], IntegerRunner(model).run(INPUTS).outputs["y"])
