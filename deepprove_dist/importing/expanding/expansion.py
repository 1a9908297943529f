"""The form of what replaces an ONNX node by other ONNX nodes, before rules see the model."""

from collections.abc import Callable
from dataclasses import dataclass

import onnx

from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.standard import STANDARD


@dataclass(frozen=True)
class Expansion:
    """How the nodes of one operator become others.

    Attributes:
        operator: its name.
        supported: in words, which of its nodes; it follows the operator's name.
        expand: the nodes that compute the same; None for a node of another form.
        domain: that of the operator.
    """

    operator: str
    supported: str
    expand: Callable[[onnx.NodeProto, Scope], list[onnx.NodeProto] | None]
    domain: str = STANDARD[0]

    @property
    def key(self) -> tuple[str, str]:
        """Domain and operator."""
        return self.domain, self.operator

    @property
    def name(self) -> str:
        """The operator, with its domain unless that is the standard's."""
        return ".".join(filter(None, self.key))

    @property
    def description(self) -> str:
        """What of the operator is supported, as a refusal says it."""
        return f"{self.operator} {self.supported}"
