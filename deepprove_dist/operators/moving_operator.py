"""Float operators whose output has values of their inputs, at other positions: views, padding, maxima.

They commute with some functions f of single values. Where they do, f is taken before: a layer and the
function after it are then one table, whatever stands between.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.operators.float_operator import FloatOperator, Need, Planner, Readers
from deepprove_dist.operators.formats import Form, Reference
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.pointwise import IDENTITY
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.scale import Scale
from deepprove_dist.protocol.table import Interval


@dataclass(frozen=True)
class MovingOperator(FloatOperator):
    """``keeps_order``: whether the elements stay in row-major order. ``represents_layer``: whether reports
    compare the layer before it at its output, where the float graph has the values and not before.
    """

    keeps_order: ClassVar[bool] = True
    represents_layer: ClassVar[bool] = False

    @abstractmethod
    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """The integer node, for sources with these intervals."""

    @abstractmethod
    def move_scales(self, scales: Sequence[FloatArray]) -> FloatArray:
        """The scales of the output's elements, from those of the inputs' elements."""

    def read_form(self, form: Form) -> Form:
        """The form in which it reads its inputs for this form of its output."""
        return form

    def sources(self, form: Form, planner: Planner) -> Sequence[QuantisedTensor]:
        """The tensors that it moves for a form that it reads."""
        return [planner.planned(name, form) for name in self.inputs]

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """The forms that it reads; the values before it choose their formats, as far as there are such."""
        for form, reference in forms.items():
            inner = self.read_form(form)
            same = inner.function == form.function
            yield Need(self.input, inner, self.before(reference if same else Reference(self.output)))

    def before(self, reference: Reference) -> Reference:
        """Values of its output as values of its input."""
        if reference.tensor == self.output:
            return replace(reference, tensor=self.input)
        return replace(reference, ordered=reference.ordered and self.keeps_order)

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """A move, with a function after it where it does not commute with that."""
        inner = self.read_form(form)
        if inner == form:
            return planner.moved(self, self.sources(form, planner), form, reference)
        before = reference if inner.function == form.function else Reference(self.output)
        moved = planner.planned_output(self, inner, before)
        outer = form if inner.function == IDENTITY else replace(form, function=IDENTITY)
        return planner.activated(self.name, moved, self.output, outer, reference)

    def output_scale(self, scales: Sequence[Scale], shapes: Sequence[Shape]) -> Scale:
        """The scale of the output, from those of the inputs, of these shapes."""
        if len(set(scales)) == 1 and scales[0].is_single:
            return scales[0]
        arrays = [np.broadcast_to(scale.array, own) for scale, own in zip(scales, shapes, strict=True)]
        return Scale.from_array(self.move_scales(arrays))
