"""A format that the model itself states: QuantizeLinear, and DequantizeLinear after it.

    y = unit * clamp(round(x / unit), lo, hi)

That is a rescaling whose format is given, not chosen. What comes before goes into it: a layer's sum, and a
function of that. The file's zero point is in lo and hi, since integers here stand for multiples of the unit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.operators.float_operator import FloatOperator, Need, Planner, Readers
from deepprove_dist.operators.formats import HIDDEN, PUBLIC, Form, Format, Reference
from deepprove_dist.operators.pointwise import IDENTITY
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.scale import Scale


@dataclass(frozen=True)
class FloatFixed(FloatOperator):
    """``unit`` is one number; ``lo`` and ``hi`` are integers around 0."""

    unit: float
    lo: int
    hi: int

    @property
    def form(self) -> Form:
        """The form in which it reads its input."""
        return Form(fixed=Format(Scale.of(self.unit), self.lo, self.hi))

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Halves go to even numbers, and quotients are of single precision, as in ONNX."""
        quotients = (inputs[0] / self.unit).astype(np.float32)
        return np.asarray(np.clip(np.rint(quotients).astype(np.float64), self.lo, self.hi) * self.unit)

    def channel_axis(self, rank: int) -> None:
        """The input's."""
        return

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """The input in the format."""
        if forms:
            yield Need(self.input, self.form, Reference(self.output))

    def same_integers(self, form: Form) -> tuple[str, Form]:
        """Those of the form that it reads, unless a function or another format comes after that."""
        same = form.function == IDENTITY and form.fixed in (None, self.form.fixed)
        return (self.input, self.form) if same else (self.output, form)

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """The form of the input, and a table after it where another form is needed."""
        source = planner.planned(self.input, self.form)
        return planner.activated(
            self.name, source, self.output, HIDDEN if form == PUBLIC else form, reference
        )


def fixed_node(node: FloatOperator | None) -> FloatFixed | None:
    """The node itself, if it states a format."""
    return node if isinstance(node, FloatFixed) else None
