"""Makes a network of ResNet-18's shape for images of 3 x 224 x 224, with random weights, as ONNX.

ResNet-18 (He et al., 2015) has a convolution of 7 x 7, a max pool, and eight blocks of two convolutions.
A mean over the image and a dense layer of 1000 outputs follow. Normalisation is part of the weights.

There are about 11.7 M weights, normal with variance 2 / inputs of the layer. It is halved in the last
convolution of each block. Beside the model, calibration samples are written.

Example:
    python assets/scripts/resnet18.py resnet18
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

STAGES = (64, 128, 256, 512)
BLOCKS = 2
IMAGE, CLASSES = (3, 224, 224), 1000


class Network:
    """Nodes and tensors so far."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.nodes: list[NodeProto] = []
        self.tensors: list[TensorProto] = []
        self._rng = rng

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node; its output's name."""
        output = f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def linear(
        self, operator: str, x: str, shape: tuple[int, ...], gain: float = 2.0, **attributes: Any
    ) -> str:
        """A layer with random weights [outputs, inputs, ...] and small biases."""
        weight = self._rng.normal(0.0, np.sqrt(gain / np.prod(shape[1:])), shape).astype(np.float32)
        bias = self._rng.uniform(-0.1, 0.1, shape[0]).astype(np.float32)
        names = [f"weight{len(self.nodes)}", f"bias{len(self.nodes)}"]
        self.tensors += [numpy_helper.from_array(t, n) for t, n in zip((weight, bias), names, strict=True)]
        return self.add(operator, x, *names, **attributes)

    def conv(self, x: str, outputs: int, inputs: int, kernel: int, stride: int, gain: float = 2.0) -> str:
        """A convolution that keeps the image's size, but for the stride."""
        pads = [kernel // 2] * 4
        return self.linear(
            "Conv", x, (outputs, inputs, kernel, kernel), gain, strides=[stride] * 2, pads=pads
        )

    def block(self, x: str, outputs: int, inputs: int, stride: int) -> str:
        """A residual block; its shortcut is a convolution of 1 x 1 where shapes differ."""
        y = self.add("Relu", self.conv(x, outputs, inputs, 3, stride))
        y = self.conv(y, outputs, outputs, 3, 1, gain=1.0)
        shortcut = x if inputs == outputs else self.conv(x, outputs, inputs, 1, stride, gain=1.0)
        return self.add("Relu", self.add("Add", y, shortcut))


def build(rng: np.random.Generator) -> Network:
    """The network's nodes; the last one gives `output`."""
    network = Network(rng)
    x = network.add("Relu", network.conv("input", STAGES[0], IMAGE[0], 7, 2))
    x = network.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = STAGES[0]
    for width in STAGES:
        for number in range(BLOCKS):
            x = network.block(x, width, channels, 2 if number == 0 and width != channels else 1)
            channels = width
    x = network.add("Flatten", network.add("GlobalAveragePool", x))
    x = network.linear("Gemm", x, (CLASSES, channels), transB=1)
    network.nodes[-1].output[0] = "output"
    return network


def main() -> None:
    """Writes model.onnx and calibration.npz."""
    parser = argparse.ArgumentParser(description="Make a network of ResNet-18's shape with random weights.")
    parser.add_argument("directory", type=Path, help="folder for the files")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()

    rng = np.random.default_rng(options.seed)
    network = build(rng)
    graph = helper.make_graph(
        network.nodes,
        "resnet18",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", *IMAGE])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", CLASSES])],
        network.tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options.directory.mkdir(parents=True, exist_ok=True)
    onnx.save(model, options.directory / "model.onnx")
    calibration = rng.uniform(-1.0, 1.0, (2, *IMAGE)).astype(np.float32)
    calibration[0, 0, 0, :2] = -1.0, 1.0
    np.savez(options.directory / "calibration.npz", x=calibration)


if __name__ == "__main__":
    main()
