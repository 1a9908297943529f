"""Keys of other models than the ONNX file: each way in which a model can be another one is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.importing.load import ImportedModel, import_model
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.validate import analyse, derive
from deepprove_dist.operators.formats import Form, Format, Reference
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.requantise import quotient
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.quantise.activations import Activation
from deepprove_dist.quantise.behaviour import strange_outputs
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.comparison import differences
from deepprove_dist.quantise.emit import Emitter
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.format_choices import CalibratedChoices
from deepprove_dist.quantise.inputs import choose_inputs
from deepprove_dist.quantise.names import NewNames
from deepprove_dist.quantise.plan import Plan
from deepprove_dist.quantise.precision import choose_precision
from deepprove_dist.quantise.quantise import assemble, quantise
from deepprove_dist.quantise.ranges import MAXIMUM, RANGE_RULES
from deepprove_dist.quantise.steps import Accumulation, LinearStep
from deepprove_dist.samples import Samples, read_samples

MODELS = Path(__file__).parents[2] / "assets" / "models"
NAMES = ("digits_mlp", "digits_lenet62k", "digits_resnet", "digits_smooth")


@lru_cache
def imported(name: str) -> ImportedModel:
    return import_model(MODELS / name / "model.onnx")


def samples(name: str) -> Samples:
    graph = imported(name).graph
    shapes = {tensor: graph.shapes[tensor] for tensor in graph.inputs}
    return read_samples(MODELS / name / "calibration.npz", shapes)


@lru_cache
def honest(name: str) -> IntegerModel:
    model, float_model = imported(name), FloatModel(imported(name))
    inputs = choose_inputs(model.graph, float_model, samples(name), 8)
    return quantise(model.graph, calibrate(float_model, samples(name)), inputs=inputs).model


def provable(model: IntegerModel) -> IntegerModel:
    """A model with changed parts made whole again: tables that reach all quotients, ranges derived."""
    nodes = list(model.nodes)
    used = {name for node in nodes for name in node.inputs}
    constants = {name: values for name, values in model.constants.items() if name in used}
    for index, node in enumerate(nodes):
        table, shift = node.attributes.get("table"), node.attributes.get("shift")
        if isinstance(table, Table) and isinstance(shift, int):
            bounds = derive(model.inputs, constants, nodes[:index]).intervals[node.inputs[0]]
            widened = _widened(table, quotient(bounds[0], shift), quotient(bounds[1], shift))
            nodes[index] = replace(node, attributes={**node.attributes, "table": widened})
    intervals = derive(model.inputs, constants, nodes).intervals
    outputs = tuple(replace(o, lo=intervals[o.name][0], hi=intervals[o.name][1]) for o in model.outputs)
    result = replace(model, nodes=tuple(nodes), constants=constants, outputs=outputs)
    analyse(result)
    return result


def _widened(table: Table, lowest: int, highest: int) -> Table:
    values = table.values()
    first, last = min(lowest, table.first), max(highest, table.first + table.size - 1)
    before = np.full(table.first - first, values[0])
    after = np.full(last - table.first - table.size + 1, values[-1])
    return Table.from_values(first, np.concatenate([before, values, after]))


def layers(model: IntegerModel) -> list[Node]:
    return [node for node in model.nodes if node.operator in ("dense", "conv")]


def with_constants(model: IntegerModel, node: Node, change: Callable[[IntArray], IntArray]) -> IntegerModel:
    changed = {name: change(model.constants[name]) for name in node.inputs[1:]}
    return replace(model, constants={**model.constants, **changed})


def with_node(model: IntegerModel, node: Node, **attributes: Attribute) -> IntegerModel:
    changed = replace(node, attributes={**node.attributes, **attributes})
    return replace(model, nodes=tuple(changed if other is node else other for other in model.nodes))


def first(model: IntegerModel, operator: str, least_inputs: int = 1) -> Node:
    return next(n for n in model.nodes if n.operator == operator and len(n.inputs) >= least_inputs)


def permuted_classes(model: IntegerModel) -> IntegerModel:
    (output,) = model.outputs
    hidden = "hidden"
    nodes = [
        replace(
            node,
            output=hidden if node.output == output.name else node.output,
            inputs=tuple(hidden if name == output.name else name for name in node.inputs),
        )
        for node in model.nodes
    ]
    nodes += [
        Node("reshape", "a", (hidden,), "h1", {"shape": (1, 2, 5)}),
        Node("transpose", "b", ("h1",), "h2", {"permutation": (0, 2, 1)}),
        Node("reshape", "c", ("h2",), output.name, {"shape": output.shape}),
    ]
    return replace(model, nodes=tuple(nodes))


def rewired(model: IntegerModel) -> IntegerModel:
    """A layer that reads another layer's output of the same shape."""
    shapes = analyse(model).shapes
    outputs = [node.output for node in model.nodes if node.operator == "requantise"]
    for node in layers(model):
        for other in outputs:
            if other != node.inputs[0] and shapes[other] == shapes[node.inputs[0]]:
                changed = replace(node, inputs=(other, *node.inputs[1:]))
                order = [n for n in model.nodes if n is not node]
                order.insert(max(i for i, n in enumerate(order) if n.output == other) + 1, changed)
                if outputs.index(other) < outputs.index(node.inputs[0]):
                    return replace(model, nodes=tuple(order))
    raise AssertionError("no two layers of one shape")


CHANGES: dict[str, Callable[[IntegerModel], IntegerModel]] = {
    "last layer negated": lambda m: with_constants(m, layers(m)[-1], lambda v: -v),
    "last layer's weights zero": lambda m: with_constants(m, layers(m)[-1], lambda v: 0 * v),
    "first layer negated": lambda m: with_constants(m, layers(m)[0], lambda v: -v),
    "all layers negated": lambda m: replace(m, constants={n: -v for n, v in m.constants.items()}),
    "all weights zero": lambda m: replace(m, constants={n: 0 * v for n, v in m.constants.items()}),
    "last layer's biases zero": lambda m: replace(
        m, constants={**m.constants, layers(m)[-1].inputs[2]: 0 * m.constants[layers(m)[-1].inputs[2]]}
    ),
    "one weight": lambda m: with_constants(
        m, layers(m)[-1], lambda v: v + (np.arange(v.size) == 0).reshape(v.shape)
    ),
    "first table zero": lambda m: with_node(
        m,
        first(m, "requantise"),
        table=Table.from_values(-(2**9), np.zeros(2**10, dtype=np.int64)),
    ),
    "output scale": lambda m: replace(
        m, outputs=tuple(replace(o, scale=Scale.of(1000 * o.scale.number)) for o in m.outputs)
    ),
    "input scale": lambda m: replace(
        m, inputs=tuple(replace(i, scale=Scale.of(1000 * i.scale.number)) for i in m.inputs)
    ),
    "classes permuted": permuted_classes,
    "a format's scale": lambda m: replace(
        m,
        formats={
            name: replace(f, scale=Scale.of(1.5 * f.unit)) if name == first(m, "requantise").output else f
            for name, f in m.formats.items()
        },
    ),
    "a format of no choice": lambda m: replace(
        m,
        formats={
            name: Format(f.scale, 0, 1) if name.endswith(".accumulator") else f
            for name, f in m.formats.items()
        },
    ),
    "no formats": lambda m: replace(m, formats={}),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_model_is_found(name: str, change: str) -> None:
    assert not differences(honest(name), imported(name).graph)
    assert differences(provable(CHANGES[change](honest(name))), imported(name).graph)


def scaled(model: IntegerModel, operator: str, attribute: str, factors: tuple[int, ...]) -> IntegerModel:
    """The first such node of several inputs, or with an attribute of several numbers, with these scaled."""
    for node in model.nodes:
        numbers = node.attributes.get(attribute)
        if node.operator == operator and isinstance(numbers, tuple) and len(numbers) >= len(factors):
            every = (*factors, *factors[-1:] * (len(numbers) - len(factors)))
            changed = tuple(number * factor for number, factor in zip(numbers, every, strict=True))
            return with_node(model, node, **{attribute: changed})
    raise AssertionError(f"no {operator}")


NODE_CHANGES: dict[tuple[str, str], Callable[[IntegerModel], IntegerModel]] = {
    ("digits_resnet", "skip cut"): lambda m: scaled(m, "weighted_sum", "multipliers", (1, 0)),
    ("digits_resnet", "constant in a sum"): lambda m: with_node(
        m, first(m, "weighted_sum", 2), constant=10**6
    ),
    ("digits_resnet", "rewired"): rewired,
    ("digits_mlp", "rewired"): rewired,
    ("digits_lenet62k", "maximum of one"): lambda m: with_node(m, first(m, "max_pool"), kernel=(1, 1)),
    ("digits_smooth", "average"): lambda m: scaled(m, "sum_pool", "weights", (2,)),
}


@pytest.mark.parametrize(("name", "change"), NODE_CHANGES)
def test_a_changed_node_is_found(name: str, change: str) -> None:
    assert differences(provable(NODE_CHANGES[name, change](honest(name))), imported(name).graph)


@dataclass(frozen=True)
class LyingChoices(CalibratedChoices):
    """Formats of all rescaled tensors too coarse or too fine by a factor."""

    factor: float = 1.0

    def activation(
        self, target: str, sum_: Accumulation, form: Form, reference: Reference, argument: Reference
    ) -> Activation:
        chosen = super().activation(target, sum_, form, reference, argument)
        scale = Scale.of(self.factor * chosen.format.unit)
        return replace(chosen, format=replace(chosen.format, scale=scale))


@pytest.mark.parametrize("factor", [1000.0, 0.001])
@pytest.mark.parametrize("given", [True, False])
def test_formats_that_lose_everything_are_found_by_running(factor: float, given: bool) -> None:
    name = "digits_mlp"
    graph, float_model = imported(name).graph, FloatModel(imported(name))
    statistics = calibrate(float_model, samples(name))
    inputs = choose_inputs(graph, float_model, samples(name), 8)
    choices = LyingChoices(statistics, inputs, RANGE_RULES[MAXIMUM], 8, factor=factor)
    names = NewNames((*graph.inputs, *graph.outputs))
    plan = Plan(graph, choices, names)
    linear = [step for step in plan.steps if isinstance(step, LinearStep)]
    precision = dict(zip([s.target.name for s in linear], choose_precision(linear, statistics), strict=True))
    model = assemble(graph, plan, Emitter(plan.inputs, plan.steps, precision, names))
    assert not differences(model, graph)
    used = samples(name) if given else None
    assert strange_outputs(model, float_model, used)
    assert not strange_outputs(honest(name), float_model, used)


def test_a_clamp_that_no_quantisation_chooses_is_found() -> None:
    model = honest("digits_mlp")
    name = next(node.output for node in model.nodes if node.operator == "requantise")
    for format in (Format(model.formats[name].scale, 0, 0), Format(model.formats[name].scale, 0, 100)):
        narrow = replace(model, formats={**model.formats, name: format})
        assert differences(narrow, imported("digits_mlp").graph)
    wide = Format(model.formats[name].scale, -LARGEST_SIGNED, LARGEST_SIGNED)
    changed = replace(model, formats={**model.formats, name: wide})
    assert differences(changed, imported("digits_mlp").graph)


@pytest.mark.parametrize("ends", [(0, 0), (0, 1), (-(2**20), 2**20), (1, 256), (-(2**16), -1)])
def test_an_input_range_that_no_quantisation_chooses_is_found(ends: tuple[int, int]) -> None:
    model = honest("digits_mlp")
    (tensor,) = model.inputs
    changed = replace(model, inputs=(replace(tensor, lo=ends[0], hi=ends[1]),))
    assert differences(changed, imported("digits_mlp").graph) == [
        f"the input '{tensor.name}' has the range [{ends[0]}, {ends[1]}]; quantisation chooses no such range"
    ]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("unit", [1e38, 1e90])
def test_outputs_that_cannot_be_compared_are_found(unit: float) -> None:
    """Inputs so large that the ONNX model overflows, which says nothing for the integer model."""
    model, name = honest("digits_smooth"), "digits_smooth"
    large = replace(model, inputs=tuple(replace(i, scale=Scale.of(unit)) for i in model.inputs))
    (problem,) = strange_outputs(large, FloatModel(imported(name)), None)
    assert "output 'output' is not finite in the ONNX model" in problem
