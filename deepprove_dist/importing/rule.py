"""The form of a rule that maps one ONNX operator to float nodes."""

from collections.abc import Callable
from dataclasses import dataclass

from deepprove_dist.importing.builder import GraphBuilder, OnnxNode


@dataclass(frozen=True)
class Rule:
    """``attributes`` that ``apply`` reads or that change nothing; any other is refused before ``apply`` is
    called.

    ``supported`` says to a user what of the operator is supported. ``apply`` raises UnsupportedNodeError with
    the reason.
    """

    operator: str
    attributes: frozenset[str]
    supported: str
    apply: Callable[[OnnxNode, GraphBuilder], None]
