"""Float operators that are affine in their inputs: an accumulator computes them, as a sum of summands."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from deepprove_dist.arrays import FloatArray
from deepprove_dist.operators.float_operator import FloatOperator, Need, Planner, Readers
from deepprove_dist.operators.formats import HIDDEN, Form, Reference
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.summand import Summand


@dataclass(frozen=True)
class LinearOperator(FloatOperator):
    """output = A(inputs) + b for a linear function A. ``adds_summands``: linear inputs that nothing else
    reads become part of its accumulator.
    """

    adds_summands: ClassVar[bool] = False

    @property
    def is_affine(self) -> bool:
        """Yes."""
        return True

    @abstractmethod
    def summands(self, factor: float, planner: Planner) -> tuple[list[Summand], FloatArray]:
        """The summands of ``factor`` times the output, and a constant to add to them.

        The constant is a number, or broadcasts to the output's shape.
        """

    def as_linear(self) -> LinearOperator:
        """Itself."""
        return self

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """Every input as it is, but for those that are summands."""
        for name in self.inputs:
            if name not in readers.summands:
                yield Need(name, HIDDEN, Reference(name), decides=True)

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """An accumulator."""
        return planner.accumulated(self, form, reference)
