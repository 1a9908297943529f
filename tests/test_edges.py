"""Extreme weights, samples and functions, from set-up to a verified proof: the right answer or one sentence.

numpy's RuntimeWarnings are errors here, as in all tests.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import deepprove_dist as dp
from deepprove_dist.errors import InputError, InputRangeError, ModelError, QuantisationError, SamplesError
from deepprove_dist.samples import Samples

RANDOM = np.random.default_rng(0)
W, B = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=3)
X = RANDOM.normal(size=(8, 1, 4))


def save(path: Path, nodes: list[onnx.NodeProto], **constants: npt.ArrayLike) -> Path:
    """A model of x [1, 4] and y."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 4))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(values, np.float32), name) for name, values in constants.items()],
    )
    operators = [helper.make_opsetid("", 17)]
    path = path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=operators, ir_version=9), path)
    return path


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dp.ProvingKey:
    node = helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1)
    path = save(tmp_path_factory.mktemp("edges"), [node], w=W, b=B)
    return dp.setup(path, Samples({"x": X}, None), threads=1)


def relative_error(path: Path, weights: Any, biases: Any, samples: Any = X, clamp: bool = False) -> float:
    """Of a proven output of a Gemm on the first sample."""
    node = helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1)
    model = save(path, [node], w=weights, b=biases)
    keys = dp.setup(model, Samples({"x": np.asarray(samples)}, None), threads=1)
    proof = keys.prove(samples[0], clamp=clamp)
    keys.verifying.verify(proof, input={"x": np.asarray(samples[:1], dtype=np.float64)})
    expected = samples[0] @ np.asarray(weights).T + biases
    largest = max(float(np.abs(expected).max()), 1e-300)
    return float(np.abs(proof.output["y"][0] - expected).max()) / largest


@pytest.mark.parametrize(
    ("weights", "biases"),
    [
        (0 * W, B),
        (0 * W, 0 * B),
        (1e6 * W, B),
        (1e-8 * W, 1e-8 * B),
        (W, 1e9 * B),
        (1e37 * W, B),
        (1e-40 * W, 1e-40 * B),
        (-0.0 * np.abs(W), -0.0 * np.abs(B)),
        (W * [[0], [1], [1]], B),
        (W * [[1e-6], [1], [1e6]], B),
    ],
)
def test_extreme_weights(tmp_path: Path, weights: Any, biases: Any) -> None:
    assert relative_error(tmp_path, weights, biases) < 0.02


@pytest.mark.parametrize(
    "samples", [1e-100 * X, 1e30 * X, RANDOM.integers(0, 255, X.shape), X * [1, 0, 1e-3, 5]]
)
def test_extreme_samples(tmp_path: Path, samples: Any) -> None:
    assert relative_error(tmp_path, W, B, samples) < 0.02


@pytest.mark.parametrize(
    ("samples", "error", "text"),
    [
        (np.full((8, 1, 4), np.nan), SamplesError, "NaN or infinite"),
        (1e300 * X, QuantisationError, "NaN or infinity in 'x'"),
        (X + 1j, SamplesError, "complex128"),
        (X.astype(str), SamplesError, "not numbers"),
        (X[:, :, :3], SamplesError, "rows of shape"),
        (X[:0], SamplesError, "no samples"),
    ],
)
def test_samples_that_set_no_ranges(tmp_path: Path, samples: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        relative_error(tmp_path, W, B, samples)


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        (np.full(4, np.inf), SamplesError, "NaN or infinite"),
        (np.full(4, 1e308), InputRangeError, "1e\\+308 lies outside"),
        (np.full(4, 1j), SamplesError, "complex128"),
        (["1", "0", "0", "0"], SamplesError, "not numbers"),
        ([[0, 1], [2]], SamplesError, "differ in length"),
        (np.zeros((2, 2)), SamplesError, "has the shape"),
        (np.zeros(3), SamplesError, "has the shape"),
        (np.zeros((3, 1, 4)), InputError, "3 samples for keys that allow 1"),
        ({"z": np.zeros(4)}, InputError, r"inputs are \['x'\], not \['z'\]"),
    ],
)
def test_inputs_that_are_refused(keys: dp.ProvingKey, values: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        keys.prove(values)


FUNCTIONS: dict[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
    "Relu": np.positive,
    "Identity": np.positive,
    "Exp": np.exp,
    "Reciprocal": np.reciprocal,
    "Log": np.log,
    "Sqrt": np.sqrt,
}


@pytest.mark.parametrize("operator", FUNCTIONS)
def test_functions_alone(tmp_path: Path, operator: str) -> None:
    """Some are not defined at 0, where a table may have an entry."""
    values = 1 + RANDOM.random(size=(16, 1, 4))
    model = save(tmp_path, [helper.make_node(operator, ["x"], ["y"])])
    keys = dp.setup(model, Samples({"x": values}, None), threads=1)
    proof = keys.prove(values[0])
    np.testing.assert_allclose(proof.output["y"][0], FUNCTIONS[operator](values[0]), atol=0.05)


def test_a_function_that_overflows_is_refused(tmp_path: Path) -> None:
    model = save(tmp_path, [helper.make_node("Exp", ["x"], ["y"])])
    with pytest.raises(QuantisationError, match="NaN or infinity in 'y'"):
        dp.setup(model, Samples({"x": 100 * RANDOM.random(size=(16, 1, 4))}, None), threads=1)


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        (np.where(W[0, 0] == W, np.nan, W), r"B \('w'\) holds NaN or infinite values"),
        (np.where(W[0, 0] == W, np.inf, W), r"B \('w'\) holds NaN or infinite values"),
        (np.zeros((0, 4)), r"B \('w'\) is empty"),
    ],
)
def test_weights_that_are_refused(tmp_path: Path, weights: Any, text: str) -> None:
    with pytest.raises(ModelError, match=text):
        relative_error(tmp_path, weights, B)
