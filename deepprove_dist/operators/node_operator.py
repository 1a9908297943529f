"""Float operators that have an integer node of their own: not an accumulator, and not a table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class NodeOperator(FloatOperator):
    """``represents_layer``: whether reports compare the layer before it at its output.

    That is for nodes before which the float graph does not have the layer's values.
    """

    represents_layer: ClassVar[bool] = False

    @abstractmethod
    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """The integer node, for sources with these intervals."""
