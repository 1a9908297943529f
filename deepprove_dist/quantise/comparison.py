"""Whether an integer model is a quantisation of a float graph.

The model records the formats of its tensors. With these the same plan is made and emitted again, from the
public input's scale on. Nodes, wiring, attributes, weights, biases and multipliers must come out the same,
number by number. Each table must be the clamped and rounded activation of its units. What remains to the
model's maker are the formats themselves: `behaviour.py` says what they do to the outputs.
"""

from collections.abc import Iterator

import numpy as np

from deepprove_dist.errors import ModelError, QuantisationError
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.node import Node
from deepprove_dist.quantise.emit import Emitter
from deepprove_dist.quantise.names import NewNames
from deepprove_dist.quantise.plan import Plan
from deepprove_dist.quantise.quantise import assemble
from deepprove_dist.quantise.recorded import NotRecordedError, RecordedChoices
from deepprove_dist.quantise.steps import LinearStep, Step, TableStep


def differences(model: IntegerModel, graph: FloatGraph) -> list[str]:
    """What speaks against the model being a quantisation of the graph; nothing, if it is one."""
    choices = RecordedChoices(model, graph.wholes)
    try:
        plan, again = _build(graph, choices)
    except NotRecordedError as error:
        return [str(error)]
    except (ModelError, QuantisationError) as error:
        return [f"the formats of the model do not fit the ONNX model: {error}"]
    return [
        *_compare_public("input", model.inputs, again.inputs),
        *_compare_public("output", model.outputs, again.outputs),
        *_compare_nodes(model, again),
        *_compare_constants(model, again),
        *_compare_tables(choices, plan.steps),
        *_compare_formats(model, again),
    ]


def _build(graph: FloatGraph, choices: RecordedChoices) -> tuple[Plan, IntegerModel]:
    """The plan with the recorded choices, and the model that quantisation would have made of it."""
    names = NewNames((*graph.inputs, *graph.outputs))
    plan = Plan(graph, choices, names)
    targets = [step.target.name for step in plan.steps if isinstance(step, LinearStep)]
    # A table of its own for each: which layers share one changes nothing.
    precision = {target: choices.precision(target, index) for index, target in enumerate(targets)}
    emitter = Emitter(plan.inputs, plan.steps, precision, names, choices.tables())
    return plan, assemble(graph, plan, emitter)


def _compare_public(
    direction: str, stated: tuple[ModelTensor, ...], expected: tuple[ModelTensor, ...]
) -> Iterator[str]:
    if [tensor.name for tensor in stated] != [tensor.name for tensor in expected]:
        yield f"the {direction}s are {[t.name for t in stated]}, not {[t.name for t in expected]}"
        return
    for tensor, other in zip(stated, expected, strict=True):
        if tensor != other:
            yield f"{direction} '{tensor.name}' has another shape, range or scale"


def _compare_nodes(model: IntegerModel, again: IntegerModel) -> Iterator[str]:
    nodes, expected = ({node.output: node for node in of.nodes} for of in (model, again))
    for output, node in nodes.items():
        if output not in expected:
            yield f"node '{node.name}' ({node.operator}) computes '{output}', which the ONNX model does not"
    for output, node in expected.items():
        if output not in nodes:
            yield f"'{output}' of node '{node.name}' ({node.operator}) is missing"
        elif nodes[output] != node:
            yield f"node '{node.name}' ({node.operator}): {_difference(nodes[output], node)}"


def _difference(node: Node, expected: Node) -> str:
    if node.operator != expected.operator:
        return f"it is a {node.operator} here"
    if node.inputs != expected.inputs:
        return f"it reads {list(node.inputs)} in place of {list(expected.inputs)}"
    wrong = [key for key in expected.attributes if node.attributes.get(key) != expected.attributes[key]]
    return f"other {', '.join(wrong)}" if wrong else "it has another name"


def _compare_constants(model: IntegerModel, again: IntegerModel) -> Iterator[str]:
    readers = {name: node.name for of in (model, again) for node in of.nodes for name in node.inputs}
    for name in sorted({*model.constants, *again.constants}):
        if name not in model.constants or name not in again.constants:
            yield f"layer '{readers[name]}': '{name}' is in one of the models only"
        elif not np.array_equal(model.constants[name], again.constants[name]):
            yield f"layer '{readers[name]}': the numbers of '{name}' are not those of the ONNX model"


def _compare_tables(choices: RecordedChoices, steps: list[Step]) -> Iterator[str]:
    tables = choices.tables()
    for step in steps:
        if isinstance(step, LinearStep | TableStep) and not step.activation.allows(tables[step.target.name]):
            name = step.sum.name if isinstance(step, LinearStep) else step.node
            yield f"the table after '{name}' is not its activation"


def _compare_formats(model: IntegerModel, again: IntegerModel) -> Iterator[str]:
    """Of tensors that nothing is chosen for, too: a model has one file."""
    for name in sorted({*model.formats, *again.formats}):
        if model.formats.get(name) != again.formats.get(name):
            yield f"the model records another format of '{name}'"
