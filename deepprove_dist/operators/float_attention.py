"""Attention in a float graph: a softmax of scores, and averages of values by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import MODULUS
from deepprove_dist.lowering.contract import Labels
from deepprove_dist.operators.attention import Attention, division_bound
from deepprove_dist.operators.float_operator import Need, Planner, Readers
from deepprove_dist.operators.formats import HIDDEN, Form, Format, Reference
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.node_operator import NodesOperator
from deepprove_dist.operators.pointwise import IDENTITY
from deepprove_dist.operators.quantised import NARROW, QuantisedTensor
from deepprove_dist.operators.softmax import LARGEST_TOP, FloatSoftmax, SoftmaxConstants
from deepprove_dist.operators.summand import Names, Part
from deepprove_dist.operators.sums_of_products import sum_products
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class FloatAttention(NodesOperator):
    """``softmax`` of the inputs but the last one, which has the values; labels are as of a contraction.

    ``shift`` is the bits by which results are finer than values, once that is planned.
    """

    completes: ClassVar[bool] = True

    softmax: FloatSoftmax
    left: Labels
    right: Labels
    outputs: int
    shift: int = 0

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """The sizes of the output's labels."""
        sizes = dict(zip(self.left + self.right, inputs[0] + inputs[-1], strict=True))
        return tuple(sizes[label] for label in range(self.outputs))

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """The softmax first."""
        weights = self.softmax.evaluate(inputs[:-1])
        return sum_products(weights, inputs[-1], self.left, self.right, self.outputs)

    def channel_axis(self, rank: int) -> int:
        """The last one, as of a matrix product."""
        return rank - 1

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """What the softmax needs, and values as they are."""
        values = self.inputs[-1]
        return [*self.softmax.needs(forms, readers), Need(values, HIDDEN, Reference(values))]

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """The exact means, in as many bits as tables take; a function of them is a table.

        Exponentials are as fine as the field has room for.
        """
        if form.function != IDENTITY:
            plain = planner.planned_output(self, replace(form, function=IDENTITY, public=False), reference)
            return planner.activated(self.name, plain, self.output, form, reference)
        scores = self.softmax.sources(planner)
        values = planner.planned_plain(self.inputs[-1], HIDDEN)
        size, (low, high) = self.softmax.size, values.format.interval
        shift = max(0, (NARROW - 1).bit_length() - (high - low).bit_length())
        interval = low << shift, high << shift
        top = min(LARGEST_TOP, (MODULUS - 1) // division_bound(size, 1, interval))
        if top < 2:
            raise QuantisationError(f"'{self.name}': attention over {size} tokens does not fit the field")
        constants = SoftmaxConstants(top, 1, scores[0].format.unit)
        planned = replace(self, softmax=replace(self.softmax, arithmetic=constants), shift=shift)
        format = Format(Scale.of(values.format.unit / 2**shift), *interval)
        return planner.computed(planned, [*scores, values], format, form, reference)

    def integer_part(
        self, sources: Sequence[QuantisedTensor], output: str, intervals: Sequence[Interval], names: Names
    ) -> Part:
        """What the softmax does in front of its own node, and attention in place of that."""
        part = self.softmax.integer_part(sources[:-1], output, intervals[:-1], names)
        *before, last = part.nodes
        attributes: dict[str, Attribute] = {
            "left": self.left,
            "right": self.right,
            "outputs": self.outputs,
            "contracted": (self.softmax.size,),
            "table": last.attributes["table"],
            "shift": self.shift,
        }
        inputs = (last.inputs[0], sources[-1].name)
        return replace(part, nodes=(*before, Node(Attention.name, self.name, inputs, output, attributes)))
