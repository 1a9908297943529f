"""A node of the integer model."""

from collections.abc import Mapping
from dataclasses import dataclass

from deepprove_dist.protocol.system.table import Table

Attribute = int | tuple[int, ...] | Table


@dataclass(frozen=True)
class Node:
    """One application of an integer operator; ``name`` is that of its ONNX node, for messages."""

    operator: str
    name: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Attribute]
