"""Mapping a folded ONNX graph, node by node, to the float graph; everything unsupported is collected and
raised at once.
"""

from collections.abc import Sequence

import onnx
from onnx import helper

from deepprove_dist.errors import Problem, UnsupportedModelError
from deepprove_dist.importing.builder import FLOAT_TYPES, GraphBuilder, OnnxNode, UnsupportedNodeError
from deepprove_dist.importing.float_graph import FloatGraph, FloatNode
from deepprove_dist.importing.rules import RULES
from deepprove_dist.importing.simplify import simplify


def to_float_graph(model: onnx.ModelProto) -> FloatGraph:
    """The float graph of a model with static inputs and folded constants.

    Raises UnsupportedModelError with one problem for each node, input or output that is not supported. A node
    after an unsupported one is checked for its operator and attributes only.
    """
    builder = GraphBuilder(model)
    problems = _check_inputs(model, builder)
    read = {name for node in model.graph.node for name in node.input} | {
        value.name for value in model.graph.output
    }
    for proto in model.graph.node:
        try:
            _apply(proto, builder, read)
        except UnsupportedNodeError as error:
            problems.append(_problem(proto, str(error)))
    outputs = {}
    for value in model.graph.output:
        if builder.knows(value.name) and builder.constant(value.name) is None:
            outputs[value.name] = builder.tensor(value.name)
        elif builder.knows(value.name):
            supported = "outputs that depend on an input"
            problems.append(Problem(value.name, "graph output", "it is a constant", supported))
    if problems:
        raise UnsupportedModelError(tuple(problems))
    inputs = tuple(value.name for value in model.graph.input)
    needed = set(outputs.values())
    nodes = _reachable(simplify(builder.nodes, builder), needed)
    names = (*inputs, *(node.output for node in nodes))
    return FloatGraph(inputs, outputs, nodes, {name: builder.shape(name) for name in names})


def _check_inputs(model: onnx.ModelProto, builder: GraphBuilder) -> list[Problem]:
    return [
        Problem(value.name, "graph input", "it is not a float tensor", "float16, float and double inputs")
        for value in model.graph.input
        if builder.type(value.name) not in FLOAT_TYPES
    ]


def _apply(proto: onnx.NodeProto, builder: GraphBuilder, read: set[str]) -> None:
    rule = RULES.get(proto.op_type) if proto.domain in ("", "ai.onnx") else None
    if rule is None:
        raise UnsupportedNodeError(f"no rule for this operator of domain '{proto.domain or 'ai.onnx'}'")
    unknown = {attribute.name for attribute in proto.attribute} - rule.attributes
    if unknown:
        raise UnsupportedNodeError(f"attributes {sorted(unknown)} are not supported")
    extra = [name for name in proto.output[1:] if name in read]
    if extra:
        raise UnsupportedNodeError(f"its further outputs {extra} are used")
    if all(builder.knows(name) for name in proto.input if name):
        attributes = {a.name: helper.get_attribute_value(a) for a in proto.attribute}
        node = OnnxNode(proto.op_type, _name(proto), tuple(proto.input), tuple(proto.output), attributes)
        rule.apply(node, builder)


def _problem(proto: onnx.NodeProto, reason: str) -> Problem:
    rule = RULES.get(proto.op_type)
    supported = (
        rule.supported if rule else ", ".join(sorted(RULES)) + ", and anything computed from constants alone"
    )
    return Problem(_name(proto), proto.op_type, reason, supported)


def _name(proto: onnx.NodeProto) -> str:
    return proto.name or f"{proto.op_type} of {', '.join(proto.output)}"


def _reachable(nodes: Sequence[FloatNode], needed: set[str]) -> tuple[FloatNode, ...]:
    """The nodes that an output depends on."""
    kept = []
    for node in reversed(nodes):
        if node.output in needed:
            kept.append(node)
            needed.update(node.inputs)
    return tuple(reversed(kept))
