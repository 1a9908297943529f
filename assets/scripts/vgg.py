"""Makes a network of VGG16's size for images of 3 x 32 x 32, with random weights, as ONNX.

The 13 convolutions and 5 max pools of VGG16 (Simonyan, Zisserman, 2014), then one dense layer: about 15 M
weights. Weights are normal with variance 2 / inputs of the layer (He et al., 2015). Activations then stay
equally large from layer to layer. Beside the model, calibration samples and test inputs are written.

Example:
    python assets/scripts/vgg.py vgg16
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

POOL = 0
LAYERS = (64, 64, POOL, 128, 128, POOL, 256, 256, 256, POOL, 512, 512, 512, POOL, 512, 512, 512, POOL)
CHANNELS, SIZE, CLASSES = 3, 32, 10
IMAGE = (CHANNELS, SIZE, SIZE)


class Network:
    """Nodes and tensors so far; `name` is the last tensor."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.nodes: list[NodeProto] = []
        self.tensors: list[TensorProto] = []
        self.name = "input"
        self.weights = 0
        self._rng = rng

    def linear(self, operator: str, shape: tuple[int, ...], output: str, **attributes: Any) -> None:
        """A layer with random weights [outputs, inputs, ...] and small biases."""
        weight = self._rng.normal(0.0, np.sqrt(2.0 / np.prod(shape[1:])), shape).astype(np.float32)
        bias = self._rng.uniform(-0.1, 0.1, shape[0]).astype(np.float32)
        names = [f"{output}_weight", f"{output}_bias"]
        self.tensors += [
            numpy_helper.from_array(tensor, name) for tensor, name in zip((weight, bias), names, strict=True)
        ]
        self.weights += weight.size + bias.size
        self.add(operator, output, *names, **attributes)

    def add(self, operator: str, output: str, *inputs: str, **attributes: Any) -> None:
        """A node on the last tensor."""
        self.nodes.append(helper.make_node(operator, [self.name, *inputs], [output], output, **attributes))
        self.name = output


def build(rng: np.random.Generator) -> Network:
    """The network's nodes."""
    network, channels = Network(rng), CHANNELS
    for number, width in enumerate(LAYERS, start=1):
        if width == POOL:
            network.add("MaxPool", f"pool{number}", kernel_shape=[2, 2], strides=[2, 2])
            continue
        shape = (width, channels, 3, 3)
        network.linear("Conv", shape, f"conv{number}", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        network.add("Relu", f"relu{number}")
        channels = width
    network.add("Flatten", "flat")
    network.linear("Gemm", (CLASSES, channels), "output", transB=1)
    return network


def main() -> None:
    """Writes model.onnx, calibration.npz and input.json."""
    parser = argparse.ArgumentParser(description="Make a network of VGG16's size with random weights.")
    parser.add_argument("directory", type=Path, help="folder for the files")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()

    rng = np.random.default_rng(options.seed)
    network = build(rng)
    graph = helper.make_graph(
        network.nodes,
        "vgg",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", *IMAGE])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", CLASSES])],
        network.tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options.directory.mkdir(parents=True, exist_ok=True)
    onnx.save(model, options.directory / "model.onnx")
    # Both ends of the range are part of the calibration, so that every test input is in range.
    calibration = rng.uniform(-1.0, 1.0, (8, *IMAGE)).astype(np.float32)
    calibration[0, 0, 0, :2] = -1.0, 1.0
    np.savez(options.directory / "calibration.npz", x=calibration)
    test = rng.uniform(-1.0, 1.0, (2, int(np.prod(IMAGE)))).astype(np.float32)
    (options.directory / "input.json").write_text(json.dumps({"input_data": test.tolist()}))
    print(f"{options.directory / 'model.onnx'}: {network.weights:,} weights")


if __name__ == "__main__":
    main()
