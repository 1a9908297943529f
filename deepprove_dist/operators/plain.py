"""A tensor with one scale, and few enough integers for tables: so that its order is that of its integers."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.operators.float_operator import Planner
from deepprove_dist.operators.formats import HIDDEN, Form
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.reshape import FloatReshape


@dataclass(frozen=True)
class FloatPlain(FloatReshape):
    """The input, under its shape, brought to a plain format."""

    def read_form(self, form: Form) -> Form:
        """As it is: functions come after."""
        return HIDDEN

    def same_integers(self, form: Form) -> tuple[str, Form]:
        """Its own."""
        return self.output, form

    def sources(self, form: Form, planner: Planner) -> Sequence[QuantisedTensor]:
        """The input in a plain format."""
        return [planner.planned_plain(name, form) for name in self.inputs]
