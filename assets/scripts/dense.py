"""Makes a dense ReLU network with random weights, as ONNX, with calibration samples and test inputs.

By default it is "Dense 4M", the benchmark of 4 inputs, 5 hidden layers of 1000 and 3 outputs: 4,012,003
weights. Random weights do not matter to a prover, but ranges do. So weights are normal with variance
2 / inputs of the layer (He et al., "Delving Deep into Rectifiers", 2015). Activations then stay equally large
from layer to layer.

Example:
    python assets/scripts/dense.py dense4m
    python assets/scripts/dense.py --depth 2 --width 64 small
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]


def random_layers(widths: list[int], rng: np.random.Generator) -> list[Layer]:
    """For each pair of neighbouring widths a weight matrix (outputs, inputs) and a bias (outputs)."""
    layers = []
    for inputs, outputs in pairwise(widths):
        weight = rng.normal(0.0, np.sqrt(2.0 / inputs), (outputs, inputs))
        bias = rng.uniform(-0.1, 0.1, outputs)
        layers.append((weight.astype(np.float32), bias.astype(np.float32)))
    return layers


def run(layers: list[Layer], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The network's outputs (samples, outputs) for inputs (samples, inputs); no ReLU after the last layer."""
    for number, (weight, bias) in enumerate(layers, start=1):
        x = x @ weight.T + bias
        if number < len(layers):
            x = np.maximum(x, 0.0)
    return x


def to_onnx(layers: list[Layer]) -> onnx.ModelProto:
    """The network as Gemm and Relu nodes, with a batch axis of any size."""
    nodes, tensors, name = [], [], "input"
    for number, (weight, bias) in enumerate(layers, start=1):
        tensors += [
            numpy_helper.from_array(weight, f"weight{number}"),
            numpy_helper.from_array(bias, f"bias{number}"),
        ]
        last = number == len(layers)
        result = "output" if last else f"dense{number}"
        nodes.append(
            helper.make_node(
                "Gemm", [name, f"weight{number}", f"bias{number}"], [result], f"Dense{number}", transB=1
            )
        )
        name = result
        if not last:
            name = f"relu{number}"
            nodes.append(helper.make_node("Relu", [result], [name], f"Relu{number}"))
    inputs, outputs = layers[0][0].shape[1], layers[-1][0].shape[0]
    graph = helper.make_graph(
        nodes,
        "dense",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", inputs])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", outputs])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main() -> None:
    """Writes model.onnx, calibration.npz and input.json."""
    parser = argparse.ArgumentParser(description="Make a dense ReLU network with random weights.")
    parser.add_argument("directory", type=Path, help="folder for the files")
    parser.add_argument("--depth", type=int, default=5, help="hidden layers (default: %(default)s)")
    parser.add_argument(
        "--width", type=int, default=1000, help="width of a hidden layer (default: %(default)s)"
    )
    parser.add_argument("--inputs", type=int, default=4, help="default: %(default)s")
    parser.add_argument("--outputs", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()

    rng = np.random.default_rng(options.seed)
    widths = [options.inputs, *[options.width] * options.depth, options.outputs]
    layers = random_layers(widths, rng)
    # Both ends of the range are part of the calibration, so that every test input is in range.
    calibration = rng.uniform(-1.0, 1.0, (200, options.inputs)).astype(np.float32)
    calibration[0], calibration[1] = -1.0, 1.0
    test = rng.uniform(-1.0, 1.0, (20, options.inputs)).astype(np.float32)
    outputs = run(layers, test)

    options.directory.mkdir(parents=True, exist_ok=True)
    onnx.save(to_onnx(layers), options.directory / "model.onnx")
    np.savez(options.directory / "calibration.npz", x=calibration)
    samples = {"input_data": test.tolist(), "pytorch_output": outputs.tolist()}
    (options.directory / "input.json").write_text(json.dumps(samples))
    count = sum(weight.size + bias.size for weight, bias in layers)
    print(f"{options.directory / 'model.onnx'}: {count:,} weights")


if __name__ == "__main__":
    main()
