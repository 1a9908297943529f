"""Softmax over the last axis of scores, some of which computed bits leave out: padding, as inputs say it.

Scores that are left out become less than all others, by so much that their exponentials are exactly 0.

A row where nothing counts has a value too. Where scores are lowered by one number, it is the softmax of them
as they are. Otherwise all of them become one number, so that all results are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.operators.exponentials import first_zero, masked_table
from deepprove_dist.operators.float_operator import Need, Planner, Readers
from deepprove_dist.operators.formats import HIDDEN, Form, Reference
from deepprove_dist.operators.mask import ScoreMask
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.select import Select
from deepprove_dist.operators.softmax import FloatSoftmax
from deepprove_dist.operators.summand import Names, Part
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class FloatPaddedSoftmax(FloatSoftmax):
    """Of scores and bits of one shape: a score counts where its bit is ``counted``, 0 or 1."""

    completes: ClassVar[bool] = True

    counted: int = field(kw_only=True)
    lowered: bool = field(kw_only=True)

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Relative to the maximum of the scores that count."""
        scores, bits = inputs
        counts = bits == self.counted
        empty = ~counts.any(axis=-1, keepdims=True)
        instead = scores if self.lowered else np.zeros_like(scores)
        return super().evaluate([np.where(empty, instead, np.where(counts, scores, -np.inf))])

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """Scores as a softmax without a mask; bits as they are."""
        scores, bits = self.inputs
        return [Need(scores, self.scores_form, Reference(scores)), Need(bits, HIDDEN, Reference(bits))]

    def sources(self, planner: Planner) -> Sequence[QuantisedTensor]:
        """Scores and bits."""
        scores, bits = self.inputs
        return [planner.planned_plain(scores, self.scores_form), planner.planned_plain(bits, HIDDEN)]

    def integer_part(
        self, sources: Sequence[QuantisedTensor], output: str, intervals: Sequence[Interval], names: Names
    ) -> Part:
        """The scores without those that are left out, and the softmax of them."""
        (low, high), arithmetic = intervals[0], self.planned_arithmetic
        zero = first_zero(arithmetic.top, arithmetic.unit, intervals[0])
        scores, bits = (source.name for source in sources)
        masked = names.fresh(f"{output}.scores")
        if self.lowered:
            shift = high - low + zero
            least = low - shift
            attributes: dict[str, Attribute] = {"shift": -shift if self.counted else shift}
            node = Node(ScoreMask.name, self.name, (scores, bits), masked, attributes)
        else:
            least = low - zero
            branches = ("when_false", "when_true") if self.counted else ("when_true", "when_false")
            attributes = dict(zip(branches, ((least,), ()), strict=True))
            node = Node(Select.name, self.name, (bits, scores), masked, attributes)
        table = masked_table(arithmetic.top, arithmetic.unit, intervals[0], least)
        return Part(output, 1, (node, self.node_with(table, (masked,), output)))
