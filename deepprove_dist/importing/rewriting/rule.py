"""The form of a rule that rewrites the nodes of one ONNX operator, and of a refusal of one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.standard import FLOAT_TYPES, OLDEST_OPSET, plain_name

Rewrite = Callable[[OnnxNode, GraphBuilder], str | tuple[str, ...] | None]


@dataclass(frozen=True)
class Rule:
    """How a node of an ONNX operator becomes float nodes, and all that is to be said of the operator.

    An operator may have several rules, in modules of their own: one for each form of its nodes.

    Attributes:
        operator: its name in the ONNX standard; that of another domain follows the domain's name.
        supported: in words, what of it is supported; it follows the operator's name.
        rewrite: adds the float nodes and returns the tensor that the node computes. For several outputs that
            is a tuple. It returns None for a node of another form, before it adds any, and the
            operator's next rule is asked. It raises UnsupportedNodeError with the reason.
        attributes: those that ``rewrite`` reads or that change nothing. Any other is refused before.
        any_attributes: whether it reads all that the standard has, so that ``attributes`` lists none.
        types: the ONNX element types that it may compute.
        since: the first opset that has it.
        of_shape: whether what it computes depends on the shape of its input alone.
        random: whether what it computes may be random; such a node is never computed in advance.
        evaluated_as: the opset in whose version constants are computed, which gives the same. None for that
            of the model: ONNX's evaluator has old versions of most operators.
    """

    operator: str
    supported: str
    rewrite: Rewrite
    attributes: frozenset[str] = frozenset()
    types: tuple[int, ...] = FLOAT_TYPES
    since: int = OLDEST_OPSET
    of_shape: bool = False
    random: bool = False
    any_attributes: bool = False
    evaluated_as: int | None = None

    @property
    def description(self) -> str:
        """What of the operator is supported, as a refusal says it."""
        return f"{self.operator} {self.supported}"

    @property
    def type_names(self) -> tuple[str, ...]:
        """The element types, each with its width."""
        return tuple(plain_name(kind) for kind in self.types)


def joined(rules: Sequence[Rule]) -> Rule:
    """One rule for all forms of an operator, of which each of ``rules`` is for some."""
    first = rules[0]
    supported = ", or ".join(rule.supported for rule in rules)
    attributes = frozenset[str]().union(*(rule.attributes for rule in rules))
    types = tuple(dict.fromkeys(kind for rule in rules for kind in rule.types))
    rewrite = partial(_rewrite_by_any, [rule.rewrite for rule in rules])
    return replace(first, supported=supported, rewrite=rewrite, attributes=attributes, types=types)


def _rewrite_by_any(
    rewrites: Sequence[Rewrite], node: OnnxNode, graph: GraphBuilder
) -> str | tuple[str, ...] | None:
    tensors = (rewrite(node, graph) for rewrite in rewrites)
    return next((tensor for tensor in tensors if tensor is not None), None)


@dataclass(frozen=True)
class Refusal:
    """Why a known operator has no rule, and what a user can do.

    Attributes:
        operator: its name.
        reason: what is wrong with it.
        supported: what is supported instead.
        advice: what to do, or "".
        random: whether what it computes is random.
    """

    operator: str
    reason: str
    supported: str
    advice: str = ""
    random: bool = False
