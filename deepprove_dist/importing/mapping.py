"""Mapping a folded ONNX graph, node by node, to the float graph; everything unsupported is collected and
raised at once.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import partial

import onnx
from onnx import helper

from deepprove_dist.errors import AccuracyWarning, Problem, UnsupportedModelError
from deepprove_dist.importing.contradiction import require_consistent
from deepprove_dist.importing.expanding.index_outputs import computed_indices, computed_labels
from deepprove_dist.importing.expansions import find_expansion, why_not_expanded
from deepprove_dist.importing.input_types import require_types
from deepprove_dist.importing.rewriting.affine import with_numbers_in_layers
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import ConsequenceError, UnsupportedNodeError, unknown
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.importing.rewriting.standard import (
    ALL_TYPES,
    STANDARD,
    TRUTH_TYPES,
    type_name,
    whole_range,
)
from deepprove_dist.importing.rewriting.stored_constants import read_constant
from deepprove_dist.importing.rules import RULES, depends_on_shape, is_random
from deepprove_dist.importing.unsupported import without_rule
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.float_operator import FloatOperator

WIDE = 2**32 - 1


@dataclass(frozen=True)
class NodeOutcome:
    """What becomes of an ONNX node: ``nodes`` of the float graph, or a ``problem``.

    No float nodes: the node's output is another name of its input. ``follows``: the problem may only follow
    from others, and counts where there is nothing else.
    """

    node: onnx.NodeProto
    nodes: tuple[FloatOperator, ...] = ()
    problem: Problem | None = None
    follows: bool = False


class ModelMapping:
    """The mapping of a model with static inputs, folded constants and named nodes.

    Attributes:
        outcomes: of the model's nodes, in their order.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        problems: Sequence[Problem] = (),
        *,
        readable: bool = True,
        reserved: Set[str] = frozenset(),
        hidden: Set[str] = frozenset(),
        stated: Set[tuple[str, ...]] = frozenset(),
    ) -> None:
        """``problems`` were found before. ``readable``: whether the model is in an opset that rules read;
        otherwise attributes are not held against it. ``reserved``: names that no tensor between float nodes
        may have. ``hidden``: outputs that statements hide.
        ``stated``: see `stated_nodes`.
        """
        self._model = model
        self._readable = readable
        self._builder = GraphBuilder(model, reserved, hidden)
        self._stated = stated
        self._types = _types(model.graph)
        self._beside_nodes = [*problems, *self._input_problems()]
        self.outcomes = [self._map(proto) for proto in model.graph.node]
        self._beside_nodes += self._output_problems()

    @property
    def warnings(self) -> tuple[AccuracyWarning, ...]:
        """What rules say of nodes that mean one thing here, and may mean another elsewhere."""
        return tuple(self._builder.warnings)

    def float_graph(self) -> FloatGraph:
        """The float graph.

        Raises UnsupportedModelError with all problems: one for each node, input or output that is not
        supported. What reads the output of such a node is checked as far as its shape and type are known.
        """
        if problems := self.problems():
            raise UnsupportedModelError(problems)
        builder, graph = self._builder, self._model.graph
        names = [value.name for value in graph.output if not builder.is_constant(value.name)]
        outputs = {name: builder.tensor(name) for name in names}
        inputs = tuple(value.name for value in graph.input)
        nodes = _reachable(with_numbers_in_layers(builder.nodes, builder), set(outputs.values()))
        tensors = (*inputs, *(node.output for node in nodes))
        wholes = {name: ends for name in inputs if (ends := whole_range(builder.type(name))) is not None}
        for name in wholes.keys() & builder.index_ranges.keys():
            low, high = builder.index_ranges[name]
            wholes[name] = max(low, wholes[name][0]), min(high, wholes[name][1])
        whole_outputs = frozenset(name for name in outputs if _is_wide(builder.type(name)))
        indices = computed_indices(graph)
        labels = whole_outputs & computed_labels(graph, indices)
        shapes = {name: builder.shape(name) for name in tensors}
        return FloatGraph(
            inputs, outputs, nodes, shapes, wholes, whole_outputs, whole_outputs & indices, labels
        )

    def problems(self) -> tuple[Problem, ...]:
        """All that is in the way; what may only follow from other problems counts where there are none.

        Raises ModelError where there are only such, and the model contradicts itself.
        """
        of_nodes = [(outcome.problem, outcome.follows) for outcome in self.outcomes if outcome.problem]
        problems = [*self._beside_nodes, *(problem for problem, follows in of_nodes if not follows)]
        if not problems and of_nodes:
            require_consistent(self._model)
            problems = [problem for problem, _ in of_nodes]
        return tuple(dict.fromkeys(problems))

    def _map(self, proto: onnx.NodeProto) -> NodeOutcome:
        try:
            return NodeOutcome(proto, self._rewrite(proto))
        except UnsupportedNodeError as error:
            if self._follows_from_shapes(proto) or self._is_of_constants(proto):
                self._builder.add_unknown_values(proto.output)
            else:
                self._builder.add_unmapped(proto.output)
            return NodeOutcome(
                proto, problem=_problem(proto, error), follows=isinstance(error, ConsequenceError)
            )

    def _rewrite(self, proto: onnx.NodeProto) -> tuple[FloatOperator, ...]:
        if self._follows_from_shapes(proto):
            raise unknown("what it computes from shapes")
        if _key(proto) in self._stated:
            # What expansions wrote has the types that it needs.
            require_types(proto, self._builder.opset, self._types)
        rule = find_rule(proto)
        if rule is None:
            raise self._why_not_expanded(proto) or without_rule(proto, find_expansion(proto))
        attributes = {a.name: helper.get_attribute_value(a) for a in proto.attribute}
        strange = sorted(attributes.keys() - rule.attributes)
        if strange and not rule.any_attributes:
            error = UnsupportedNodeError if self._readable else ConsequenceError
            raise error(f"its attributes {strange} are not supported")
        node = OnnxNode(proto.op_type, proto.name, tuple(proto.input), tuple(proto.output), attributes)
        return self._builder.rewrite(node, partial(_rewrite_well_formed, rule.rewrite), rule.types)

    def _why_not_expanded(self, proto: onnx.NodeProto) -> UnsupportedNodeError | None:
        known = {tensor.name: read_constant(tensor) for tensor in self._model.graph.initializer}
        return why_not_expanded(proto, self._model, known)

    def _follows_from_shapes(self, proto: onnx.NodeProto) -> bool:
        """Whether a node that was not folded is a function of shapes and constants."""
        if proto.domain not in STANDARD or is_random(proto.op_type):
            return False
        inputs = filter(None, proto.input)
        return depends_on_shape(proto.op_type) or self._builder.depends_on_shapes_alone(inputs)

    def _is_of_constants(self, proto: onnx.NodeProto) -> bool:
        names = list(filter(None, proto.input))
        return bool(names) and all(self._builder.is_constant(name) for name in names)

    def _input_problems(self) -> Iterator[Problem]:
        for value in self._model.graph.input:
            kind = self._builder.type(value.name)
            if kind not in (*ALL_TYPES, onnx.TensorProto.UNDEFINED):
                yield Problem(
                    value.name,
                    "graph input",
                    f"it holds {type_name(kind)} values",
                    "inputs of float16, float32, float64, integers and truth values",
                    "export the model with float32 inputs",
                )

    def _output_problems(self) -> Iterator[Problem]:
        """Constant outputs are left out of what is proven. So not all may be."""
        names = [value.name for value in self._model.graph.output]
        if all(map(self._builder.is_constant, names)):
            for name in names:
                yield Problem(name, "graph output", "it is a constant", "outputs that depend on an input")


def _types(graph: onnx.GraphProto) -> dict[str, int]:
    values = (*graph.output, *graph.value_info, *graph.input)
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    return types | {tensor.name: tensor.data_type for tensor in graph.initializer}


def _is_wide(kind: int) -> bool:
    """Whether a type is of truth values, or of integers of 32 bits and more."""
    ends = whole_range(kind)
    return ends is not None and (kind in TRUTH_TYPES or ends[1] - ends[0] >= WIDE)


def _rewrite_well_formed(
    rewrite: Rewrite, node: OnnxNode, graph: GraphBuilder
) -> str | tuple[str, ...] | None:
    """What a rule makes of a node. One that breaks the standard is refused, whatever the rule trips over."""
    try:
        return rewrite(node, graph)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise UnsupportedNodeError(
            "its inputs and attributes are not those that the standard states, or contradict each other",
            advice="check the file with onnx.checker.check_model(path, full_check=True)",
        ) from error


def find_rule(proto: onnx.NodeProto) -> Rule | None:
    """The rule of a node's operator, None without one."""
    return RULES.get(operator_name(proto))


def operator_name(proto: onnx.NodeProto) -> str:
    """A node's operator, with its domain unless that is the standard's."""
    return proto.op_type if proto.domain in STANDARD else f"{proto.domain}.{proto.op_type}"


def stated_nodes(model: onnx.ModelProto) -> Set[tuple[str, ...]]:
    """The nodes of the standard that a model has, each by its operator and its outputs."""
    return {_key(node) for node in model.graph.node if node.domain in STANDARD}


def _key(node: onnx.NodeProto) -> tuple[str, ...]:
    return node.op_type, *node.output


def name_nodes(model: onnx.ModelProto) -> None:
    """Gives a name to every node that has none, after what it computes."""
    for node in model.graph.node:
        node.name = node.name or f"{node.op_type} of {', '.join(filter(None, node.output))}"


def _problem(proto: onnx.NodeProto, error: UnsupportedNodeError) -> Problem:
    rule = find_rule(proto)
    supported = error.supported or (rule.description if rule else "")
    return Problem(proto.name, operator_name(proto), error.reason, supported, error.advice)


def _reachable(nodes: Sequence[FloatOperator], needed: set[str]) -> tuple[FloatOperator, ...]:
    """The nodes that an output depends on."""
    kept = []
    for node in reversed(nodes):
        if node.output in needed:
            kept.append(node)
            needed.update(node.inputs)
    return tuple(reversed(kept))
