"""Values that follow from what a prover sent, each with what it owes to the pads of the scalars in it.

A scalar v is sent as v + pad. All that a verifier computes from such scalars, as the book says, is a sum of
them with public coefficients. A `Tracked` value goes through the same sums and keeps the coefficients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepprove_dist.kernels import Extension, ExtensionVector
from deepprove_dist.protocol.claims.sent import PadPart, SentValue
from tests.attacks.arithmetic import ZERO, Values


@dataclass(frozen=True)
class Tracked:
    """A value as it follows from what was sent, and the coefficient of each pad in it, by the
    pad's number.
    """

    value: Extension
    pads: Mapping[int, Extension] = field(default_factory=dict)

    def __add__(self, other: Tracked | Extension | int) -> Tracked:
        if not isinstance(other, Tracked):
            return Tracked(self.value + other, self.pads)
        numbers = dict.fromkeys([*self.pads, *other.pads])
        pads = {n: self.pads.get(n, ZERO) + other.pads.get(n, ZERO) for n in numbers}
        return Tracked(self.value + other.value, pads)

    def __radd__(self, other: Extension | int) -> Tracked:
        return self + other

    def __mul__(self, factor: Extension | int) -> Tracked:
        return Tracked(self.value * factor, {n: c * factor for n, c in self.pads.items()})

    def __rmul__(self, factor: Extension | int) -> Tracked:
        return self * factor

    def __sub__(self, other: Tracked | Extension | int) -> Tracked:
        return self + other * -1

    def __rsub__(self, other: Extension | int) -> Tracked:
        return self * -1 + other

    def true(self, pads: Values) -> Extension:
        """The value without pads, of which these are all."""
        return self.value - sum((c * pads[n] for n, c in self.pads.items()), ZERO)

    @property
    def sent(self) -> SentValue:
        """The same as the package has it."""
        runs = ((number, ExtensionVector([coefficient])) for number, coefficient in self.pads.items())
        return SentValue(self.value, PadPart(tuple(runs)))
