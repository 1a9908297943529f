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
from deepprove_dist.operators.float_operator import Need, Planner, Readers
from deepprove_dist.operators.formats import Form, Format, Reference
from deepprove_dist.operators.node_operator import NodeOperator
from deepprove_dist.operators.pointwise import IDENTITY
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.scale import Scale


@dataclass(frozen=True)
class MovingOperator(NodeOperator):
    """``keeps_order``: whether the elements stay in row-major order."""

    keeps_order: ClassVar[bool] = True

    @property
    def is_affine(self) -> bool:
        """What only moves values is."""
        return True

    @abstractmethod
    def move_scales(self, scales: Sequence[FloatArray]) -> FloatArray:
        """The scales of the output's elements, from those of the inputs' elements."""

    def moved_axes(self, axis: int, before: Shape, after: Shape) -> Sequence[int]:
        """The same one; axes that come in stand in front."""
        return (axis + len(after) - len(before),)

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
            sources = self.sources(form, planner)
            moved = planner.computed(self, sources, self._format(sources, planner), form, reference)
            return replace(moved, row_sum=sources[0].row_sum) if self.keeps_rows(planner) else moved
        before = reference if inner.function == form.function else Reference(self.output)
        moved = planner.planned_output(self, inner, before)
        outer = form if inner.function == IDENTITY else replace(form, function=IDENTITY)
        return planner.activated(self.name, moved, self.output, outer, reference)

    def keeps_rows(self, planner: Planner) -> bool:
        """Whether each row along the output's last axis is one of its input's."""
        return False

    def _format(self, sources: Sequence[QuantisedTensor], planner: Planner) -> Format:
        """The format of the output: the sources' scales, moved, and a range that holds all of theirs."""
        lowest = min(source.format.lo for source in sources)
        highest = max(source.format.hi for source in sources)
        scales = [source.format.scale for source in sources]
        if len(set(scales)) == 1 and scales[0].is_single:
            return Format(scales[0], lowest, highest)
        shapes = map(planner.shape, self.inputs)
        arrays = [np.broadcast_to(scale.array, shape) for scale, shape in zip(scales, shapes, strict=True)]
        return Format(Scale.from_array(self.move_scales(arrays)), lowest, highest)
