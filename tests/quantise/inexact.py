"""Models and samples made to be inexact for one known reason each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from deepprove_dist.importing.load import ImportedModel, import_proto
from deepprove_dist.samples import Samples

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Inexact:
    """A model, what calibrates it, and other samples of the kind that it will be asked for."""

    model: onnx.ModelProto
    calibration: Samples
    others: Samples | None = None
    bits: int = 8
    method: str = "max"

    @property
    def imported(self) -> ImportedModel:
        """The imported model."""
        return import_proto(self.model)


def network(*layers: tuple[Array, str], inputs: Sequence[str] = ("x",)) -> onnx.ModelProto:
    """Matrices [in, out], each followed by an operator ("" for none); several inputs are added up first."""
    nodes, constants, tensor = [], [], inputs[0]
    for name in inputs[1:]:
        nodes.append(helper.make_node("Add", [tensor, name], [f"{tensor}+{name}"]))
        tensor = f"{tensor}+{name}"
    for index, (weight, operator) in enumerate(layers):
        constants.append(numpy_helper.from_array(weight.astype(np.float32), f"w{index}"))
        nodes.append(helper.make_node("MatMul", [tensor, f"w{index}"], [f"h{index}"], f"layer{index}"))
        tensor = f"h{index}"
        if operator:
            nodes.append(helper.make_node(operator, [tensor], [f"a{index}"]))
            tensor = f"a{index}"
    graph = helper.make_graph(
        nodes,
        "g",
        [_value(name, len(layers[0][0])) for name in inputs],
        [_value(tensor, layers[-1][0].shape[1])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _value(name: str, size: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, size])


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def samples(**inputs: Array) -> Samples:
    """Arrays [N, n] as samples of inputs [1, n]."""
    return Samples({name: values[:, np.newaxis, :] for name, values in inputs.items()}, None)


def exact() -> Inexact:
    """A network without any trouble."""
    model = network((normal(8, 16), "Relu"), (normal(16, 4, seed=1), ""))
    return Inexact(model, samples(x=normal(100, 8, seed=2)), samples(x=0.9 * normal(50, 8, seed=2)))


def outlying_sample() -> Inexact:
    """One input value of a million among normal ones."""
    values = normal(100, 8, seed=2)
    values[5, 3] = 1e6
    return Inexact(network((normal(8, 16), "Relu"), (normal(16, 4, seed=1), "")), samples(x=values))


def outlying_values() -> Inexact:
    """Many samples have a value far beyond the others, and the output hardly depends on it."""
    values = normal(512, 128, seed=2)
    large = np.flatnonzero(np.isin(np.arange(512) % 8, (0, 4, 7)))
    values[large, large // 4] = 4e6
    model = network((np.eye(128), "Relu"), (np.eye(128)[:, :12], "Tanh"))
    return Inexact(model, samples(x=values))


def worst_case_bound() -> Inexact:
    """Two large weights that cancel on all samples, but need not."""
    values = normal(100, 8, seed=2)
    values[:, 1] = values[:, 0]
    weight = normal(8, 16)
    weight[0] += 3e4
    weight[1] -= 3e4
    return Inexact(network((weight, "Relu"), (normal(16, 4, seed=1), "")), samples(x=values))


def few_samples() -> Inexact:
    """Other samples are four times as large as those that calibrate."""
    model = network((normal(8, 16), "Relu"), (normal(16, 4, seed=1), ""))
    return Inexact(model, samples(x=normal(24, 8, seed=2)), samples(x=4 * normal(50, 8, seed=3)))


def constant_input() -> Inexact:
    """One of two inputs is zero in calibration only."""
    model = network((normal(8, 16), "Relu"), (normal(16, 4, seed=1), ""), inputs=("x", "z"))
    calibration = samples(x=normal(64, 8, seed=2), z=np.zeros((64, 8)))
    return Inexact(model, calibration, samples(x=normal(32, 8, seed=3), z=5 * normal(32, 8, seed=4)))


def dead_layer() -> Inexact:
    """A hidden layer that is negative, so zero after its ReLU, on all samples of calibration."""
    model = network((-np.abs(normal(8, 16)), "Relu"), (normal(16, 4, seed=1), ""))
    return Inexact(model, samples(x=np.abs(normal(64, 8, seed=2))))


def unlike_channels() -> Inexact:
    """Hidden units from 1 to 100,000 in size, which the next layer brings back to one size."""
    sizes = np.logspace(0, 5, 16)
    model = network((normal(8, 16) * sizes, "Relu"), (normal(16, 4, seed=1) / sizes[:, np.newaxis], ""))
    return Inexact(model, samples(x=normal(100, 8, seed=2)))


def clipped_range() -> Inexact:
    """The output depends on values of the hidden layer so rare that a percentile leaves them out."""
    values = np.random.default_rng(2).uniform(0.1, 1, size=(400, 129))
    values[[0, 100, 200, 6], 7] = 3.0
    values[:, 128] = 1.0
    weight = np.eye(129)[:, :128]
    weight[128] = -1.5
    model = network((np.eye(129), "Relu"), (weight, "Relu"), (np.ones((128, 1)), ""))
    return Inexact(model, samples(x=values), method="percentile")


def few_bits(bits: int = 8, gain: float = 20.0) -> Inexact:
    """Differences of hidden units that are nearly the same."""
    first = normal(8, 16)
    second = np.concatenate([np.eye(16)[:8], -np.eye(16)[:8]])[:, :8]
    both = np.concatenate([first[:, :8], first[:, :8] + first[:, 8:] / gain], axis=1)
    return Inexact(network((both, "Relu"), (second, "")), samples(x=normal(800, 8, seed=2)), bits=bits)


def curved() -> Inexact:
    """Four layers of a function that bends, and that is steep beside what it is asked for."""
    layers = [(normal(16, 16, seed=seed) / 8, "Tanh") for seed in range(1, 4)]
    model = network((normal(8, 16) / 6, "Tanh"), *layers, (normal(16, 4, seed=12), ""))
    return Inexact(model, samples(x=normal(200, 8, seed=2)), bits=12)


def noisy(bits: int = 12, gain: float = 2.6) -> Inexact:
    """Twelve layers that make noise larger, each by little, as chaotic systems do."""
    layers = [(gain / 4 * normal(16, 16, seed=seed), "Sin") for seed in range(1, 12)]
    model = network((gain / 3 * normal(8, 16), "Sin"), *layers, (normal(16, 4, seed=12), ""))
    return Inexact(model, samples(x=normal(200, 8, seed=2)), bits=bits)
