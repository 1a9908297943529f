"""Small integer networks with convolutions, built by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.validate import derive
from deepprove_dist.operators.integer_operator import Analysis
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.requantise import quotient
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval, Table

SHIFT, LIMBS = 6, (3, 3)


class Network:
    """Nodes over an input "x"; methods add one and return its output's name."""

    def __init__(self, shape: Shape, seed: int = 0, interval: Interval = (-128, 127)) -> None:
        self._random = np.random.default_rng(seed)
        self._input = ModelTensor("x", shape, *interval, Scale.of(0.5))
        self._constants: dict[str, IntArray] = {}
        self._nodes: list[Node] = []

    def shape(self, name: str) -> Shape:
        """The shape of a tensor so far."""
        return self._derive().shapes[name]

    def interval(self, name: str) -> Interval:
        """The interval of a tensor so far."""
        return self._derive().intervals[name]

    def linear(self, operator: str, x: str, weight: Shape, attributes: Mapping[str, Any]) -> str:
        """A dense layer or a convolution with random weights and biases."""
        name = f"{operator}{len(self._nodes)}"
        self._constants[f"{name}.w"] = self._random.integers(-20, 21, weight)
        self._constants[f"{name}.b"] = self._random.integers(-300, 301, weight[:1])
        return self._add(Node(operator, name, (x, f"{name}.w", f"{name}.b"), name, attributes))

    def conv(
        self,
        x: str,
        weight: Shape,
        *,
        strides: Shape = (),
        pads: Shape = (),
        dilations: Shape = (),
        groups: int = 1,
    ) -> str:
        """A convolution, by default with stride 1 and no padding."""
        rank = len(weight) - 2
        attributes = {
            "strides": strides or (1,) * rank,
            "pads": pads or (0,) * (2 * rank),
            "dilations": dilations or (1,) * rank,
            "groups": groups,
        }
        return self.linear("conv", x, weight, attributes)

    def dense(self, x: str, outputs: int) -> str:
        """A dense layer on the flattened tensor."""
        size = int(np.prod(self.shape(x)))
        flat = self.node("reshape", (x,), {"shape": (1, size)})
        return self.linear("dense", flat, (outputs, size), {})

    def relu(self, x: str) -> str:
        """Requantisation to [0, 255]."""
        low, high = (quotient(end, SHIFT) for end in self.interval(x))
        table = Table.from_values(low, np.clip(np.arange(low, high + 1), 0, 255))
        return self.node("requantise", (x,), {"shift": SHIFT, "table": table, "limbs": LIMBS})

    def max_pool(self, x: str, kernel: Shape, strides: Shape, pads: Shape = (), dilations: Shape = ()) -> str:
        """A max pool."""
        attributes = {
            "kernel": kernel,
            "strides": strides,
            "pads": pads or (0,) * (2 * len(kernel)),
            "dilations": dilations or (1,) * len(kernel),
            "minimum": self.interval(x)[0],
        }
        return self.node("max_pool", (x,), attributes)

    def sum_pool(
        self,
        x: str,
        kernel: Shape,
        strides: Shape,
        pads: Shape,
        weights: Sequence[Shape],
        dilations: Shape = (),
    ) -> str:
        """A sum pool with the weights of each axis."""
        attributes = {
            "kernel": kernel,
            "strides": strides,
            "pads": pads,
            "dilations": dilations or (1,) * len(kernel),
            "places": tuple(map(len, weights)),
            "weights": tuple(weight for axis in weights for weight in axis),
        }
        return self.node("sum_pool", (x,), attributes)

    def node(self, operator: str, inputs: tuple[str, ...], attributes: Mapping[str, Any]) -> str:
        """Any node without weights."""
        name = f"{operator}{len(self._nodes)}"
        return self._add(Node(operator, name, inputs, name, attributes))

    def constant(self, shape: Shape) -> str:
        """Random weights that nodes read as one of their inputs."""
        name = f"constant{len(self._constants)}"
        self._constants[name] = self._random.integers(-20, 21, shape)
        return name

    def known(self, values: IntArray) -> str:
        """A constant that nodes read as one of their inputs."""
        name = f"constant{len(self._constants)}"
        self._constants[name] = values
        return name

    def model(self, *outputs: str) -> IntegerModel:
        """The model with these outputs."""
        derived = self._derive()
        public = tuple(
            ModelTensor(o, derived.shapes[o], *derived.intervals[o], Scale.of(0.25)) for o in outputs
        )
        return IntegerModel((self._input,), public, self._constants, tuple(self._nodes))

    def _add(self, node: Node) -> str:
        self._nodes.append(node)
        return node.output

    def _derive(self) -> Analysis:
        return derive((self._input,), self._constants, self._nodes)


def convolution(shape: Shape, weight: Shape, **geometry: Any) -> IntegerModel:
    """One convolution, its accumulator being the output."""
    network = Network(shape)
    return network.model(network.conv("x", weight, **geometry))


def lenet() -> IntegerModel:
    """Convolution, max pool, convolution, overlapping max pool, dense."""
    network = Network((1, 3, 12, 12))
    x = network.relu(network.conv("x", (6, 3, 3, 3), pads=(1, 1, 1, 1)))
    x = network.max_pool(x, (2, 2), (2, 2))
    x = network.relu(network.conv(x, (5, 6, 3, 3), pads=(1, 1, 1, 1)))
    x = network.max_pool(x, (3, 3), (2, 2), pads=(1, 1, 1, 1))
    return network.model(network.dense(x, 7))


def residual() -> IntegerModel:
    """A residual block and a global average."""
    network = Network((1, 3, 8, 8))
    x = network.relu(network.conv("x", (6, 3, 3, 3), pads=(1, 1, 1, 1)))
    y = network.conv(x, (6, 6, 3, 3), pads=(1, 1, 1, 1))
    total = network.node("weighted_sum", (y, x), {"multipliers": (1, 17), "constant": 5})
    x = network.relu(total)
    return network.model(network.sum_pool(x, (8, 8), (1, 1), (0, 0, 0, 0), ((1,), (3,))))


def depthwise() -> IntegerModel:
    """Depthwise with padding and pointwise convolutions, then a grouped one."""
    network = Network((1, 4, 7, 6))
    x = network.relu(network.conv("x", (4, 1, 3, 3), groups=4, pads=(1, 1, 1, 1)))
    x = network.relu(network.conv(x, (6, 4, 1, 1)))
    return network.model(network.conv(x, (4, 3, 3, 3), groups=2, strides=(2, 2)))


def views() -> IntegerModel:
    """Transposition, padding and concatenation of views, without any relation between layers."""
    network = Network((1, 3, 4, 5))
    moved = network.node("transpose", ("x",), {"permutation": (0, 2, 3, 1)})
    padded = network.node("pad", (moved,), {"pads": (0, 1, 0, 0, 0, 2, 3, 0)})
    return network.model(network.node("concat", (padded, padded), {"axis": 3}))
