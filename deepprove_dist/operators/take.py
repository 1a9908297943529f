"""Take: the elements at listed indices of one axis, in any order, also several times, or a constant.

Slices, gathers by constant indices and repetitions are selections along some axes, one after the other. So is
padding by copies. A selection is a view: an axis follows a list of indices. It costs no relation.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError, QuantisationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.selection import select
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.float_operator import Need, Planner, Readers
from deepprove_dist.operators.formats import HIDDEN, Form, Format, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.moving_operator import MovingOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.pointwise import evaluate
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.table import Interval

LARGEST_AXIS = 1 << 24
"""Positions along the axis."""


@dataclass(frozen=True)
class FloatTake(MovingOperator):
    """Position h of ``axis`` has the elements at ``indices[h]``, and ``fill`` where that is -1.

    ``integer_fill`` is what stands for ``fill`` among the integers of the input; planning finds it.
    """

    axis: int
    indices: tuple[int, ...]
    fill: float = 0.0
    integer_fill: int = 0
    keeps_order: ClassVar[bool] = False

    @property
    def is_filled(self) -> bool:
        """Whether some positions have no element."""
        return min(self.indices) < 0

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """With as many positions along the axis as there are indices."""
        return _with_size(inputs[0], self.axis, len(self.indices))

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """The elements in their new places."""
        return _selected(inputs[0], self.axis, self.indices, self.fill)

    def takes_scales(self, axis: int, rank: int) -> bool:
        """They move as values do."""
        return True

    def read_form(self, form: Form) -> Form:
        """The same: its function of what fills can fill, where that is a number."""
        return form if not self.is_filled or np.isfinite(self._filling(form)) else HIDDEN

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """The forms that it reads. All values of the input choose their formats, as others may read them."""
        for form in forms:
            inner = self.read_form(form)
            yield Need(self.input, inner, Reference(self.input, inner.function))

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """A move, which puts in what stands for the constant among the input's integers."""
        if self.read_form(form) != form or not self.is_filled or self._filling(form) == 0:
            return super().plan(form, reference, planner)
        source = planner.planned(self.input, form)
        if not source.format.scale.is_single:
            source = planner.planned_plain(self.input, form)
        if not source.holds(self._filling(form)):
            source = planner.in_format_of(self, source, Reference(self.output, form.function))
        number = self._in_units(self._filling(form), source.format.unit)
        low, high = min(source.format.lo, number), max(source.format.hi, number)
        filled = replace(self, integer_fill=number)
        return planner.computed(filled, [source], Format(source.format.scale, low, high), form, reference)

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A selection."""
        return take_node(self.name, sources[0], output, self.axis, self.indices, self.integer_fill)

    def move_scales(self, scales: Sequence[FloatArray]) -> FloatArray:
        """As values; of zeros any, since zero is zero at any scale."""
        return scales[0].take(np.maximum(self.indices, 0), axis=self.axis)

    def _filling(self, form: Form) -> float:
        """What fills a form of the output."""
        return float(evaluate(form.function, np.array([self.fill]))[0])

    def _in_units(self, fill: float, unit: float) -> int:
        number = fill / unit
        if not abs(number) <= LARGEST_SIGNED // 4:
            raise QuantisationError(
                f"'{self.name}' puts {fill:g} beside values in units of {unit:g}, which passes the field"
            )
        return round(number)


class Take(IntegerOperator):
    """Attributes: ``axis`` of one sample's shape, ``indices`` along it, and ``fill`` for the index -1."""

    name: ClassVar[str] = "take"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {"axis": int, "indices": tuple, "fill": int}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The input's, with as many positions along the axis as there are indices."""
        (shape,), axis, indices = shapes, integer(node, "axis"), integers(node, "indices")
        if not 0 <= axis < len(shape):
            raise ModelError(f"'{node.name}': an input {shape} has no axis {axis}")
        if not indices or len(indices) > LARGEST_AXIS or not _inside(indices, shape[axis]):
            raise ModelError(f"'{node.name}': its indices are not those of an axis of size {shape[axis]}")
        return _with_size(shape, axis, len(indices))

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """The input's, and what fills."""
        (lo, hi), fill, indices = intervals[0], integer(node, "fill"), integers(node, "indices")
        if abs(fill) > LARGEST_SIGNED:
            raise ModelError(f"'{node.name}': {fill} is beyond the field")
        if min(indices) >= 0:
            return lo, hi
        return (min(lo, fill), max(hi, fill)) if max(indices) >= 0 else (fill, fill)

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """The elements in their new places; no further columns."""
        axis, fill = 1 + integer(node, "axis"), integer(node, "fill")
        return Inference(_selected(inputs[0], axis, integers(node, "indices"), fill), {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A list of indices along the axis, also of an accumulator."""
        reader = Reader(node.name, analysis.intervals, builder)
        axis, indices, fill = integer(node, "axis"), integers(node, "indices"), integer(node, "fill")
        return select(reader, node.inputs[0], inputs[0], axis, indices, fill)


def take_node(
    name: str, source: str, output: str, axis: int, indices: tuple[int, ...], fill: int = 0
) -> Node:
    """The node that selects elements of a tensor along an axis."""
    return Node(Take.name, name, (source,), output, {"axis": axis, "indices": indices, "fill": fill})


def _inside(indices: Sequence[int], size: int) -> bool:
    return all(-1 <= index < size for index in indices)


def _with_size(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


def _selected(values: npt.NDArray[Any], axis: int, indices: Sequence[int], fill: float) -> npt.NDArray[Any]:
    listed = np.array(indices, dtype=np.int64)
    taken = values.take(np.maximum(listed, 0), axis=axis)
    if (listed < 0).any():
        taken[(slice(None),) * axis + (listed < 0,)] = fill
    return taken
