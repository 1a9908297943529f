"""Mapping a folded ONNX graph, node by node, to the float graph; everything unsupported is collected and
raised at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import onnx
from onnx import helper

from deepprove_dist.errors import Problem, UnsupportedModelError
from deepprove_dist.importing.builder import FLOAT_TYPES, GraphBuilder, OnnxNode
from deepprove_dist.importing.contradiction import require_consistent
from deepprove_dist.importing.float_graph import FloatGraph
from deepprove_dist.importing.folding import RANDOM, SHAPE_ONLY
from deepprove_dist.importing.opset import STANDARD
from deepprove_dist.importing.reasons import ConsequenceError, UnsupportedNodeError, unknown
from deepprove_dist.importing.rules import RULES
from deepprove_dist.importing.simplify import simplify
from deepprove_dist.importing.unsupported import without_rule
from deepprove_dist.operators.float_operator import FloatOperator


@dataclass
class _Findings:
    """What is in the way, and what may only follow from that: it counts where there is nothing else."""

    problems: list[Problem]
    consequences: list[Problem] = field(default_factory=list)

    def add(self, proto: onnx.NodeProto, error: UnsupportedNodeError) -> None:
        rule = RULES.get(proto.op_type) if proto.domain in STANDARD else None
        supported = error.supported or (rule.supported if rule else "")
        operator = proto.op_type if proto.domain in STANDARD else f"{proto.domain}.{proto.op_type}"
        problem = Problem(proto.name, operator, error.reason, supported, error.advice)
        follows = isinstance(error, ConsequenceError)
        (self.consequences if follows else self.problems).append(problem)

    def raise_any(self, model: onnx.ModelProto) -> None:
        if self.consequences and not self.problems:
            require_consistent(model)
        if reported := self.problems or self.consequences:
            raise UnsupportedModelError(tuple(dict.fromkeys(reported)))


def name_nodes(model: onnx.ModelProto) -> None:
    """Gives a name to every node that has none, after what it computes."""
    for node in model.graph.node:
        node.name = node.name or f"{node.op_type} of {', '.join(filter(None, node.output))}"


def to_float_graph(
    model: onnx.ModelProto, problems: Sequence[Problem] = (), readable: bool = True
) -> FloatGraph:
    """The float graph of a model with static inputs, folded constants and named nodes.

    ``readable``: whether the model is in an opset that rules read; otherwise, attributes are not held against
    it. Raises UnsupportedModelError with the ``problems`` found before, and one for each node, input or
    output that is not supported. What reads the output of such a node is checked as far as its shape and type
    are known.
    """
    builder = GraphBuilder(model)
    findings = _Findings([*problems, *_check_inputs(model, builder)])
    read = {name for node in model.graph.node for name in node.input} | {
        value.name for value in model.graph.output
    }
    for proto in model.graph.node:
        try:
            _apply(proto, builder, read, readable)
        except UnsupportedNodeError as error:
            findings.add(proto, error)
            if _follows_from_shapes(proto, builder) or _of_constants(proto, builder):
                builder.add_unknown_values(proto.output)
            else:
                builder.add_unmapped(proto.output)
    constants = {tensor.name for tensor in model.graph.initializer}
    findings.problems += [
        Problem(value.name, "graph output", "it is a constant", "outputs that depend on an input")
        for value in model.graph.output
        if value.name in constants
    ]
    findings.raise_any(model)
    outputs = {value.name: builder.tensor(value.name) for value in model.graph.output}
    inputs = tuple(value.name for value in model.graph.input)
    nodes = _reachable(simplify(builder.nodes, builder), set(outputs.values()))
    names = (*inputs, *(node.output for node in nodes))
    return FloatGraph(inputs, outputs, nodes, {name: builder.shape(name) for name in names})


def _check_inputs(model: onnx.ModelProto, builder: GraphBuilder) -> list[Problem]:
    return [
        Problem(
            value.name,
            "graph input",
            f"it holds {onnx.TensorProto.DataType.Name(builder.type(value.name))} values",
            "float16, float32 and float64 inputs",
            "export the model with float32 inputs; whole numbers are values like others then",
        )
        for value in model.graph.input
        if builder.type(value.name) not in (*FLOAT_TYPES, onnx.TensorProto.UNDEFINED)
    ]


def _apply(proto: onnx.NodeProto, builder: GraphBuilder, read: set[str], readable: bool) -> None:
    if _follows_from_shapes(proto, builder):
        raise unknown("what it computes from shapes")
    rule = RULES.get(proto.op_type) if proto.domain in STANDARD else None
    if rule is None:
        raise without_rule(proto)
    attributes = {a.name: helper.get_attribute_value(a) for a in proto.attribute}
    strange = sorted(attributes.keys() - rule.attributes)
    if strange:
        error = UnsupportedNodeError if readable else ConsequenceError
        raise error(f"its attributes {strange} are not supported")
    extra = [name for name in proto.output[1:] if name in read]
    if extra:
        raise UnsupportedNodeError(
            f"its further outputs {extra} are used", f"{proto.op_type} with one output"
        )
    rule.apply(
        OnnxNode(proto.op_type, proto.name, tuple(proto.input), tuple(proto.output), attributes), builder
    )


def _follows_from_shapes(proto: onnx.NodeProto, builder: GraphBuilder) -> bool:
    """Whether a node that was not folded is a function of shapes and constants."""
    if proto.domain not in STANDARD or proto.op_type in RANDOM:
        return False
    return proto.op_type in SHAPE_ONLY or builder.depends_on_shapes_alone(filter(None, proto.input))


def _of_constants(proto: onnx.NodeProto, builder: GraphBuilder) -> bool:
    names = list(filter(None, proto.input))
    return bool(names) and all(builder.is_constant(name) for name in names)


def _reachable(nodes: Sequence[FloatOperator], needed: set[str]) -> tuple[FloatOperator, ...]:
    """The nodes that an output depends on."""
    kept = []
    for node in reversed(nodes):
        if node.output in needed:
            kept.append(node)
            needed.update(node.inputs)
    return tuple(reversed(kept))
