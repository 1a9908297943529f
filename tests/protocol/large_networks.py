"""Integer models of the shapes of large networks; their weights are all 1, and take no memory."""

from __future__ import annotations

from math import prod

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.validate import derive
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Table

RELU = Table.from_values(-2048, np.clip(np.arange(-2048, 2048), 0, 255))


class _Network:
    """Methods add a node and return its output's name."""

    def __init__(self) -> None:
        self._constants: dict[str, IntArray] = {}
        self._nodes: list[Node] = []

    def conv(self, x: str, outputs: int, inputs: int, kernel: int, stride: int = 1) -> str:
        """A convolution whose output has the input's size divided by the stride."""
        attributes: dict[str, Attribute] = {
            "strides": (stride,) * 2,
            "pads": (kernel // 2,) * 4,
            "dilations": (1, 1),
            "groups": 1,
        }
        return self._linear("conv", x, (outputs, inputs, kernel, kernel), attributes)

    def dense(self, x: str, outputs: int, shape: tuple[int, ...]) -> str:
        flat = self._add("reshape", (x,), {"shape": (1, prod(shape))})
        return self._linear("dense", flat, (outputs, prod(shape)), {})

    def relu(self, x: str) -> str:
        return self._add("requantise", (x,), {"shift": 18, "table": RELU, "limbs": (9, 9)})

    def max_pool(self, x: str, kernel: int, pad: int = 0) -> str:
        geometry: dict[str, Attribute] = {"strides": (2, 2), "pads": (pad,) * 4, "dilations": (1, 1)}
        return self._add("max_pool", (x,), {"kernel": (kernel,) * 2, "minimum": 0, **geometry})

    def global_sum(self, x: str, size: int) -> str:
        geometry: dict[str, Attribute] = {"strides": (1, 1), "pads": (0,) * 4, "dilations": (1, 1)}
        shape: dict[str, Attribute] = {"kernel": (size,) * 2, "places": (1, 1), "weights": (1, 1)}
        return self._add("sum_pool", (x,), {**shape, **geometry})

    def add(self, x: str, y: str) -> str:
        return self._add("weighted_sum", (x, y), {"multipliers": (1, 16), "constant": 0})

    def model(self, y: str, size: int) -> IntegerModel:
        """The network for images of 3 x size x size."""
        x = ModelTensor("x", (1, 3, size, size), -128, 127, Scale.of(1.0))
        analysis = derive((x,), self._constants, self._nodes)
        output = ModelTensor(y, analysis.shapes[y], *analysis.intervals[y], Scale.of(1.0))
        return IntegerModel((x,), (output,), self._constants, tuple(self._nodes))

    def _linear(self, operator: str, x: str, shape: tuple[int, ...], attributes: dict[str, Attribute]) -> str:
        names = [f"{len(self._nodes)}.{part}" for part in "wb"]
        for name, sizes in zip(names, (shape, shape[:1]), strict=True):
            self._constants[name] = np.broadcast_to(np.int64(1), sizes)
        return self._add(operator, (x, *names), attributes)

    def _add(self, operator: str, inputs: tuple[str, ...], attributes: dict[str, Attribute]) -> str:
        name = f"{operator} {len(self._nodes)}"
        self._nodes.append(Node(operator, name, inputs, name, attributes))
        return name


def resnet50(size: int = 224) -> IntegerModel:
    """53 convolutions and a dense layer (He, Zhang, Ren, Sun, 2015), normalisation folded into weights."""
    network, channels = _Network(), 64
    x = network.max_pool(network.relu(network.conv("x", 64, 3, 7, 2)), 3, 1)
    for stage, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512))):
        for block in range(blocks):
            stride = 2 if block == 0 and stage > 0 else 1
            y = network.relu(network.conv(x, width, channels, 1))
            y = network.relu(network.conv(y, width, width, 3, stride))
            y = network.conv(y, 4 * width, width, 1)
            skip = network.conv(x, 4 * width, channels, 1, stride) if block == 0 else x
            x, channels = network.relu(network.add(y, skip)), 4 * width
    x = network.relu(network.global_sum(x, size // 32))
    return network.model(network.dense(x, 1000, (channels, 1, 1)), size)


def vgg16(size: int = 32) -> IntegerModel:
    """13 convolutions, 5 max pools and a dense layer, as `assets/scripts/vgg.py` has them."""
    network, channels, x = _Network(), 3, "x"
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            x, channels = network.relu(network.conv(x, width, channels, 3)), width
        x = network.max_pool(x, 2)
    return network.model(network.dense(x, 10, (channels, size // 32, size // 32)), size)
