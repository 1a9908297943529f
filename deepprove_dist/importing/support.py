"""What is supported: of all operators, as their rules say, and of each node of a model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deepprove_dist.errors import Problem, UnsupportedModelError
from deepprove_dist.importing.expansions import EXPANSIONS
from deepprove_dist.importing.load import ALL, ImportedModel, map_model, read_model
from deepprove_dist.importing.mapping import ModelMapping, operator_name
from deepprove_dist.importing.rewriting.standard import OLDEST_OPSET
from deepprove_dist.importing.rules import RULES
from deepprove_dist.importing.selection import ModelSelection
from deepprove_dist.operators.float_operator import FloatOperator

ALL_ATTRIBUTES = ("all",)
# What an operator that becomes others may compute is what these may.
ANY_TYPES = ("as what it becomes",)
FOLLOWS = "it cannot be checked before the other problems are solved"


@dataclass(frozen=True)
class OperatorSupport:
    """What of an ONNX operator is supported.

    Attributes:
        operator: its name in the ONNX standard.
        supported: in words; they follow the name.
        attributes: the attributes that a node may have.
        types: the element types that it may compute.
        since: the first opset of the standard that has the operator.
    """

    operator: str
    supported: str
    attributes: tuple[str, ...]
    types: tuple[str, ...]
    since: int


@dataclass(frozen=True)
class NodeSupport:
    """Whether a node of a model, or another part of it, is supported.

    Attributes:
        node: its name.
        operator: its ONNX operator, or which part of the model it is.
        supported: whether it is.
        becomes: the float operators that compute it, in their order. Nothing where it is not supported, or
            where it leaves values as they are.
        reason: why it is not supported, "" where it is.
        advice: what would be supported, and what to do; "" where it is supported.
    """

    node: str
    operator: str
    supported: bool
    becomes: tuple[str, ...] = ()
    reason: str = ""
    advice: str = ""


def supported_operators() -> tuple[OperatorSupport, ...]:
    """What is supported of each ONNX operator that has a rule or an expansion, in the order of names."""
    rules = {
        name: OperatorSupport(
            name,
            rule.supported,
            ALL_ATTRIBUTES if rule.any_attributes else tuple(sorted(rule.attributes)),
            rule.type_names,
            rule.since,
        )
        for name, rule in RULES.items()
    }
    expansions = {
        expansion.name: OperatorSupport(
            expansion.name, expansion.supported, ALL_ATTRIBUTES, ANY_TYPES, OLDEST_OPSET
        )
        for expansion in EXPANSIONS.values()
    }
    return tuple(support for _, support in sorted({**expansions, **rules}.items()))


def supported_nodes(path: Path, selection: ModelSelection = ALL) -> tuple[NodeSupport, ...]:
    """Of each part of an ONNX file, or of what was chosen of it, whether it is supported; see `examine`."""
    return examine(path, selection)[0]


def examine(
    path: Path, selection: ModelSelection = ALL
) -> tuple[tuple[NodeSupport, ...], ImportedModel | None]:
    """Of each part of an ONNX file, or of what was chosen of it, whether it is supported.

    With it the imported model, where all of them are. Parts are the nodes that outputs depend on, but those
    that are computed in advance. Whatever else is in the way is a part too.

    Raises ModelError for a file that is no valid ONNX model, and for one that contradicts itself.
    """
    try:
        fixed, mapping = map_model(read_model(path), selection)
    except UnsupportedModelError as error:
        return tuple(map(_of_problem, error.problems)), None
    nodes = tuple(_of_mapping(mapping))
    supported = all(node.supported for node in nodes)
    return nodes, ImportedModel(fixed, mapping.float_graph()) if supported else None


def _of_mapping(mapping: ModelMapping) -> Iterator[NodeSupport]:
    problems = mapping.problems()
    of_nodes = {outcome.problem for outcome in mapping.outcomes}
    yield from (_of_problem(problem) for problem in problems if problem not in of_nodes)
    for outcome in mapping.outcomes:
        if outcome.problem is None:
            becomes = tuple(map(_kind, outcome.nodes))
            yield NodeSupport(outcome.node.name, operator_name(outcome.node), True, becomes)
        elif outcome.problem in problems:
            yield _of_problem(outcome.problem)
        else:
            yield NodeSupport(outcome.problem.node, outcome.problem.operator, False, reason=FOLLOWS)


def _of_problem(problem: Problem) -> NodeSupport:
    words: Mapping[str, str] = {"supported": problem.supported, "what to do": problem.advice}
    advice = "; ".join(f"{title}: {text}" for title, text in words.items() if text)
    return NodeSupport(problem.node, problem.operator, False, reason=problem.reason, advice=advice)


def _kind(node: FloatOperator) -> str:
    return type(node).__name__.removeprefix("Float")
