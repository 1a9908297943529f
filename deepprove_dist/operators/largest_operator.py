"""Float operators that choose the largest of some values: they move it, and commute with what never falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.arrays import FloatArray
from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.formats import HIDDEN, Form
from deepprove_dist.operators.function_properties import monotone
from deepprove_dist.operators.moving_operator import MovingOperator
from deepprove_dist.operators.quantised import QuantisedTensor


@dataclass(frozen=True)
class LargestOperator(MovingOperator):
    """Compares integers, so its sources have one scale."""

    @property
    def is_affine(self) -> bool:
        """What it moves depends on the values."""
        return False

    def read_form(self, form: Form) -> Form:
        """With its function, where that never falls; but never in full width, which needs tables as wide."""
        if monotone(form.function):
            return Form(form.function, bits=form.bits, divides=form.divides, fixed=form.fixed)
        return Form(HIDDEN.function, bits=form.bits, divides=form.divides)

    def same_integers(self, form: Form) -> tuple[str, Form]:
        """Those of the form that it reads, where that has the same function."""
        inner = self.read_form(form)
        return self.output, inner if inner.function == form.function else form

    def sources(self, form: Form, planner: Planner) -> Sequence[QuantisedTensor]:
        """Each in a plain format."""
        return [planner.planned_plain(name, form) for name in self.inputs]

    def move_scales(self, scales: Sequence[FloatArray]) -> FloatArray:
        """It has one scale."""
        raise AssertionError("the sources of a maximum have one scale")
