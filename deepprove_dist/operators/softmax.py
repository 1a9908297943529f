"""Softmax over the last axis: exact in integers.

For a row x of N integers, with a table T of exp on 0, 1, ..., T(0) >= 1 and no value negative:

    m = max x,    e = T(m - x),    b = sum e,    y = floor((2 K e + b) / (2 b)).

So y / K is e / b, rounded. A proof commits the gains of a tournament for m, then e, b, y and the remainder of
the division. The maximum is attained, so b >= T(0) >= 1, and e <= b gives 0 <= y <= K.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError, QuantisationError
from deepprove_dist.field import MODULUS
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.lowering.quotient import Remainder, remainders, require_quotient
from deepprove_dist.lowering.rows import Largest, row_gains, row_sums
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integer
from deepprove_dist.operators.exponentials import exponential_table, read_table
from deepprove_dist.operators.float_operator import Need, Planner, Readers
from deepprove_dist.operators.formats import FINE, Form, Format, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.linear import require_requantised
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.node_operator import NodeOperator
from deepprove_dist.operators.pointwise import IDENTITY
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import Factor
from deepprove_dist.protocol.system.table import Interval, Table

EXPONENTIAL, TOTAL = "e", "b"

STEPS, PUBLIC_STEPS = 2**10 - 1, 2**15 - 1
"""K for layers, and for an output, where the field has room."""
FEWEST_STEPS = 2**8 - 1
LARGEST_TOP = 2**12 - 1
"""T(0), where the field has room."""


@dataclass(frozen=True)
class SoftmaxConstants:
    """What a softmax is in integers: T(0), K, and the unit of x."""

    top: int
    steps: int
    unit: float


@dataclass(frozen=True)
class FloatSoftmax(NodeOperator):
    """exp(x) / sum exp(x) over the last axis, of this ``size``.

    ``arithmetic`` is how it is computed in integers, once that is planned.
    """

    scores_form: ClassVar[Form] = FINE

    size: int
    arithmetic: SoftmaxConstants | None = None

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Relative to the maximum, so that nothing overflows."""
        exponentials = np.exp(inputs[0] - inputs[0].max(axis=-1, keepdims=True))
        result: FloatArray = exponentials / exponentials.sum(axis=-1, keepdims=True)
        return result

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """Its input in fine steps: errors of exponents are relative errors of results."""
        return [Need(self.input, self.scores_form, Reference(self.input))]

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """The exact quotients; a function of them is a table."""
        if form.function != IDENTITY:
            plain = planner.planned_output(self, replace(form, function=IDENTITY, public=False), reference)
            return planner.activated(self.name, plain, self.output, form, reference)
        sources = self.sources(planner)
        arithmetic = _choose(self.size, sources[0].format.unit, public=form.public)
        planned = replace(self, arithmetic=arithmetic)
        format = Format(Scale.of(1 / arithmetic.steps), 0, arithmetic.steps)
        target = planner.computed(planned, sources, format, form, reference)
        return replace(target, row_sum=largest_row_sum(arithmetic.steps, self.size))

    def sources(self, planner: Planner) -> Sequence[QuantisedTensor]:
        """What it reads, first the scores."""
        return [planner.planned_plain(self.input, self.scores_form)]

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A softmax, with its table."""
        arithmetic = self.planned_arithmetic
        return self.node_with(
            exponential_table(arithmetic.top, arithmetic.unit, intervals[0]), sources, output
        )

    @property
    def planned_arithmetic(self) -> SoftmaxConstants:
        """How it is computed in integers."""
        assert self.arithmetic is not None, "it is planned"
        return self.arithmetic

    def node_with(self, table: Table, sources: tuple[str, ...], output: str) -> Node:
        """A softmax, with a table of its exponentials."""
        steps = self.planned_arithmetic.steps
        attributes: dict[str, Attribute] = {"table": table, "steps": steps, "size": self.size}
        return Node(Softmax.name, self.name, sources, output, attributes)


class Softmax(IntegerOperator):
    """Attributes: ``table`` T, ``steps`` K, ``size`` N. Columns: "gain0", ..., "e", "b", "r", "s"."""

    name: ClassVar[str] = "softmax"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {"table": Table, "steps": int, "size": int}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The input's."""
        if not shapes[0] or shapes[0][-1] != integer(node, "size"):
            raise ModelError(f"'{node.name}': a softmax of {integer(node, 'size')} entries reads {shapes[0]}")
        return shapes[0]

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """From 0 to K. The division must not wrap modulo p."""
        top, steps = read_table(node, intervals[0]).interval()[1], integer(node, "steps")
        if node.inputs[0] in constants or steps < 1 or _bound(integer(node, "size"), top, steps) >= MODULUS:
            raise ModelError(f"'{node.name}': a softmax of constants, or one that would wrap modulo p")
        return 0, steps

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Differences, exponentials, sums and quotients; the columns are all that is committed."""
        (x,) = inputs
        table = node.attributes["table"]
        assert isinstance(table, Table)
        largest = x.max(axis=-1, keepdims=True)
        exponentials = table.apply(largest - x)
        total = exponentials.sum(axis=-1, keepdims=True)
        quotient, columns = remainders(integer(node, "steps") * exponentials, total)
        columns |= {EXPONENTIAL: exponentials, TOTAL: total[..., 0], **dict(row_gains(x))}
        return Inference(quotient, columns)

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """Gains, exponentials and quotients are looked up; sums are linear; the division is one product."""
        require_requantised(node, inputs[0])
        steps, size = integer(node, "steps"), integer(node, "size")
        interval = analysis.intervals[node.inputs[0]]
        table, shape = read_table(node, interval), inputs[0].shape
        reader = Reader(node.name, analysis.intervals, builder)
        x = reader.slidable(node.inputs[0], inputs[0], [len(shape) - 1]).value
        largest = Largest(node.output, x, interval, builder)
        like = Expression(shape, x, (), (0, 0))
        exponential = builder.witness(
            f"{node.output}.{EXPONENTIAL}", like, Source(node.output, EXPONENTIAL)
        ).value
        difference = added(largest.over_rows(size), scaled(x, -1))
        builder.look_up(0, table.size, table, difference, exponential)
        source = Source(node.output, TOTAL)
        total = row_sums(f"{node.output}.{TOTAL}", exponential, source, builder)
        result = builder.witness(node.output, like, Source(node.output))
        builder.look_up(0, steps + 1, None, result.value)
        left_over = Remainder(node.name, node.output, 2 * size * table.interval()[1] - 1, prod(shape))
        divisor = Factor(total, tuple(range(len(total.space))))
        require_quotient(scaled(exponential, 2 * steps), result.value, divisor, left_over, builder)
        return result


def largest_row_sum(steps: int, size: int) -> int:
    """What the results of a row add up to at most: each is rounded by 1/2 at most."""
    return steps + size // 2


def _choose(size: int, unit: float, *, public: bool) -> SoftmaxConstants:
    """As many steps as there may be, then as fine exponentials as the field has room for.

    Averages of values of 12 bits by these weights must not wrap either.
    """
    steps = PUBLIC_STEPS if public else STEPS
    while not public and steps > FEWEST_STEPS and (size * steps + 2 * (steps + size)) << 11 >= MODULUS:
        steps //= 2
    # About as many as there are steps: both round relative to the largest result.
    while steps > FEWEST_STEPS and _bound(size, min(steps, LARGEST_TOP), steps) >= MODULUS:
        steps //= 2
    top = min(LARGEST_TOP, (MODULUS - 1) // _bound(size, 1, steps))
    if top < 2:
        raise QuantisationError(f"a softmax of {size} entries does not fit the field")
    return SoftmaxConstants(top, steps, unit)


def _bound(size: int, top: int, steps: int) -> int:
    """Of 2 y b + r, and of the range of what makes r: below p, nothing wraps."""
    return size * top * (2 * steps + 5)
