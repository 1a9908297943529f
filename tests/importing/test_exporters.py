"""Models as exporters write them, from file to verified proof: set up, proven and right as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import deepprove_dist as dp
from deepprove_dist.samples import Samples


class Writer:
    """Writes nodes one after the other, with seeded weights that keep values about as large as they are."""

    def __init__(self, axes: list[str | int], opset: int) -> None:
        self._axes, self._opset = axes, opset
        self._random = np.random.default_rng(7)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, values: npt.ArrayLike, name: str) -> str:
        self._constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def weights(self, layer: str, *shape: int) -> tuple[str, str]:
        values = self._random.normal(size=shape) / np.sqrt(np.prod(shape[1:]))
        weight = self.constant(values.astype(np.float32), f"{layer}.weight")
        return weight, self.constant(np.full(shape[0], 0.1, np.float32), f"{layer}.bias")

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        output = str(len(self._nodes) + 10)
        self._nodes.append(helper.make_node(operator, inputs, [output], f"{operator}_{output}", **attributes))
        return output

    def save(self, output: str, path: Path, *, listed: bool = False) -> Path:
        """Writes the file; with the weights among the inputs, as old exporters did, if ``listed``."""
        inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, self._axes)]
        if listed:
            inputs += [
                helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
                for tensor in self._constants
            ]
        outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, [self._axes[0], "classes"])]
        graph = helper.make_graph(self._nodes, "torch-jit-export", inputs, outputs, self._constants)
        version = 3 if listed else 5
        operators = helper.make_opsetid("", self._opset)
        onnx.save(helper.make_model(graph, opset_imports=[operators], ir_version=version), path)
        return path


def write_mlp(path: Path, opset: int, **options: Any) -> Path:
    """Layers of Gemm and Relu on four features, the batch left open."""
    model, value = Writer(["batch_size", 4], opset), "input"
    for index, (inputs, outputs) in enumerate(((4, 16), (16, 16), (16, 3))):
        weights = model.weights(f"layers.{2 * index}", outputs, inputs)
        value = model.node("Gemm", value, *weights, alpha=1.0, beta=1.0, transB=1)
        value = model.node("Relu", value)
    return model.save(value, path, **options)


def write_cnn(path: Path, opset: int, flatten: str, **options: Any) -> Path:
    """A LeNet on 3 x 20 x 20 images, flattened by Flatten, or as x.view(x.size(0), -1) is written."""
    model, value = Writer(["batch_size", 3, 20, 20], opset), "input"
    for index, (inputs, outputs) in enumerate(((3, 4), (4, 6))):
        weights = model.weights(f"conv{index}", outputs, inputs, 5, 5)
        window = {"dilations": [1, 1], "kernel_shape": [5, 5], "pads": [0, 0, 0, 0], "strides": [1, 1]}
        value = model.node("Relu", model.node("Conv", value, *weights, group=1, **window))
        value = model.node("MaxPool", value, kernel_shape=[2, 2], pads=[0, 0, 0, 0], strides=[2, 2])
    if flatten == "Flatten":
        value = model.node("Flatten", value, axis=1)
    elif flatten == "constant":
        value = model.node("Reshape", value, model.constant(np.array([-1, 24], np.int64), "shape"))
    else:
        shape = model.node("Shape", value)
        batch = model.node("Gather", shape, model.constant(np.array(0, np.int64), "zero"), axis=0)
        batch = model.node("Unsqueeze", batch, axes=[0])
        others = model.node("Unsqueeze", model.constant(np.array(-1, np.int64), "minus"), axes=[0])
        value = model.node("Reshape", value, model.node("Concat", batch, others, axis=0))
    for index, (inputs, outputs) in enumerate(((24, 12), (12, 10))):
        weights = model.weights(f"fc{index}", outputs, inputs)
        value = model.node("Gemm", value, *weights, alpha=1.0, beta=1.0, transB=1)
        value = value if index else model.node("Relu", value)
    return model.save(value, path, **options)


def assert_proven(path: Path, tolerance: float = 0.03) -> None:
    """Proves a sample; holds every output against onnxruntime's run of the file, relative to the spread."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    wanted = session.get_inputs()[0]
    shape = [size if isinstance(size, int) and size > 0 else 1 for size in wanted.shape]
    values = np.random.default_rng(1).uniform(-1, 1, size=(40, *shape))
    keys = dp.setup(path, Samples({wanted.name: values[8:]}, None), threads=1)
    proof = keys.prove(values[0], clamp=True)
    statement = keys.verifying.verify(proof)
    outputs = keys.infer(values, clamp=True).output
    names = [output.name for output in session.get_outputs()]
    real = [session.run(names, {wanted.name: np.asarray(value, np.float32)}) for value in values]
    for index, name in enumerate(names):
        expected = np.stack([results[index] for results in real])
        error = np.sqrt(np.mean((outputs[name] - expected) ** 2))
        assert error < tolerance * expected.std()
        assert (statement.output[name] == outputs[name][:1]).all()


@pytest.mark.parametrize("opset", [8, 10, 12])
@pytest.mark.parametrize("listed", [False, True])
def test_mlp(tmp_path: Path, opset: int, listed: bool) -> None:
    assert_proven(write_mlp(tmp_path / "model.onnx", opset, listed=listed))


@pytest.mark.parametrize(
    ("opset", "flatten"),
    [(9, "Flatten"), (10, "Flatten"), (10, "constant"), (10, "computed"), (12, "computed")],
)
def test_cnn(tmp_path: Path, opset: int, flatten: str) -> None:
    assert_proven(write_cnn(tmp_path / "model.onnx", opset, flatten))


@pytest.mark.parametrize("keepdims", [0, 1])
def test_pooled_head(tmp_path: Path, keepdims: int) -> None:
    """Global average pooling as today's PyTorch exporter writes it."""
    model = Writer(["batch", 2, 6, 6], 18)
    weights = model.weights("conv", 4, 2, 3, 3)
    value = model.node("Relu", model.node("Conv", "input", *weights, pads=[1, 1, 1, 1]))
    axes = model.constant(np.array([-1, -2], np.int64), "axes")
    value = model.node("ReduceMean", value, axes, keepdims=keepdims, noop_with_empty_axes=0)
    if keepdims:
        value = model.node(
            "Reshape", value, model.constant(np.array([1, -1], np.int64), "shape"), allowzero=1
        )
    value = model.node("Gemm", value, *model.weights("fc", 5, 4), transB=1)
    assert_proven(model.save(value, tmp_path / "model.onnx"))


def test_pooled_head_of_signals(tmp_path: Path) -> None:
    model = Writer([-1, 2, 16], 13)
    weights = model.weights("conv", 4, 2, 3)
    value = model.node("Conv", "input", *weights)
    value = model.node("Mul", value, model.node("Sigmoid", value))
    value = model.node("ReduceMean", value, axes=[2], keepdims=0)
    assert_proven(model.save(value, tmp_path / "model.onnx"))


def test_two_to_the_power(tmp_path: Path) -> None:
    model = Writer([1, 6], 17)
    value = model.node("Pow", model.constant(np.array(2, np.float32), "two"), "input")
    assert_proven(model.save(value, tmp_path / "model.onnx"))


def test_a_scalar(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "k"], ["m"]), helper.make_node("Add", ["m", "x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])],
        [numpy_helper.from_array(np.array(2, np.float32), "k")],
    )
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    assert_proven(path)
