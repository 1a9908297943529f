"""Float operators that have integer nodes of their own: not an accumulator, and not a table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from deepprove_dist.operators.float_operator import FloatOperator, Need, Readers
from deepprove_dist.operators.formats import HIDDEN, Form, Reference
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.pointwise import IDENTITY, Function
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.summand import Names, Part
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class NodesOperator(FloatOperator):
    """``represents_layer``: whether reports compare the layer before it at its output.

    That is for nodes before which the float graph does not have the layer's values.
    """

    represents_layer: ClassVar[bool] = False

    @property
    def of_each(self) -> Function:
        """The function of each value of its input that it computes, where that is one that may be steep."""
        return IDENTITY

    @property
    def most_bits(self) -> int:
        """In how many bits its inputs may be held at most; 0 where they are those of all activations."""
        return 0

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """Every input as it is."""
        return [Need(name, HIDDEN, Reference(name)) for name in self.inputs]

    @abstractmethod
    def integer_part(
        self, sources: Sequence[QuantisedTensor], output: str, intervals: Sequence[Interval], names: Names
    ) -> Part:
        """Integer nodes with their constants, for sources with these intervals; the last one computes
        ``output``.
        """


@dataclass(frozen=True)
class NodeOperator(NodesOperator):
    """One integer node, without constants."""

    def integer_part(
        self, sources: Sequence[QuantisedTensor], output: str, intervals: Sequence[Interval], names: Names
    ) -> Part:
        """That node."""
        node = self.integer_node(tuple(source.name for source in sources), output, intervals)
        return Part(output, 1, (node,))

    @abstractmethod
    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """The integer node, for sources with these intervals."""
