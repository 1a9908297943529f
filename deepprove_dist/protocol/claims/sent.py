"""Scalars that a prover sends padded, and what is computed from them.

A hiding proof sends v + pad in the place of a scalar v. Pads are the rows of a committed tensor of shape
(pads + 4, 5). Row j is the element pad_j of the extension, by its coordinates. A message takes the next rows
in the order of sending. What a verifier computes from sent scalars is an affine function of them. So it has a
*pad part*, one coefficient for each pad: the true value is the computed one less the pad part.

A transparent proof has no pads, and all pad parts are zero.

A verifier makes thousands of these. They are structs, which take a fraction of a dataclass's time to make.
"""

from __future__ import annotations

from collections.abc import Iterator

from deepprove_dist.canonical import FrozenStruct
from deepprove_dist.kernels import Extension, ExtensionVector


class PadPart(FrozenStruct, frozen=True):
    """sum_k coefficient_k pad_k, in runs: the first pad of each, and the coefficients from there on."""

    runs: tuple[tuple[int, ExtensionVector], ...] = ()

    def __add__(self, other: PadPart) -> PadPart:
        if not (self.runs and other.runs):
            return self if self.runs else other
        return PadPart(self.runs + other.runs)

    def scaled(self, factor: Extension) -> PadPart:
        """factor times the part."""
        if not self.runs:
            return self
        return PadPart(tuple((first, run.scaled(factor)) for first, run in self.runs))

    def dense(self, count: int) -> ExtensionVector:
        """The coefficient of each of `count` pads."""
        return ExtensionVector.from_runs(count, list(self.runs))


NO_PADS = PadPart()
"""Of what no pad enters: of all values in a transparent proof."""


class SentValue(FrozenStruct, frozen=True):
    """A value that is computed from sent scalars, and its pad part."""

    value: Extension
    pads: PadPart = NO_PADS

    def __add__(self, other: SentValue) -> SentValue:
        return SentValue(self.value + other.value, self.pads + other.pads)

    def __sub__(self, other: SentValue) -> SentValue:
        pads = self.pads + other.pads.scaled(Extension(-1)) if other.pads.runs else self.pads
        return SentValue(self.value - other.value, pads)

    def scaled(self, factor: Extension) -> SentValue:
        """factor times the value."""
        return SentValue(self.value * factor, self.pads.scaled(factor))

    def true_value(self, pads: ExtensionVector) -> Extension:
        """What the value is without pads; `pads` are all of a proof's, in the order of sending."""
        true = self.value
        for first, run in self.pads.runs:
            true -= run.dot(pads[first : first + len(run)])
        return true


class SentVector(FrozenStruct, frozen=True):
    """Scalars that were sent together; `first` is the pad of the first of them, None without pads."""

    values: ExtensionVector
    first: int | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> SentValue:
        if self.first is None:
            return SentValue(self.values[index])
        return SentValue(self.values[index], PadPart(((self.first + index, ExtensionVector([1])),)))

    def __iter__(self) -> Iterator[SentValue]:
        if self.first is None:
            return iter([SentValue(value) for value in self.values])
        return (self[index] for index in range(len(self)))

    def part(self, first: int, end: int) -> SentVector:
        """The scalars [first, end)."""
        return SentVector(self.values[first:end], None if self.first is None else self.first + first)

    def pad_part(self, coefficients: ExtensionVector) -> PadPart:
        """The pad part of the scalars weighed, one coefficient each."""
        return NO_PADS if self.first is None else PadPart(((self.first, coefficients),))

    def dot(self, coefficients: ExtensionVector) -> SentValue:
        """The scalars weighed, one coefficient each."""
        return SentValue(self.values.dot(coefficients), self.pad_part(coefficients))


class Pads:
    """The pads of one proof, in the order of sending: a prover has their values, a verifier counts them."""

    def __init__(self, count: int, values: ExtensionVector | None = None) -> None:
        """`count` pads, none for a transparent proof; a prover has their `values`."""
        self.count, self._values, self._used = count, values, 0

    @property
    def remaining(self) -> int:
        """Pads that no scalar has taken yet: none at the end of a proof."""
        return self.count - self._used

    def take(self, count: int) -> ExtensionVector:
        """The values of the next pads; empty for a transparent proof."""
        first = self._advance(count)
        if first is None or self._values is None:
            return ExtensionVector([])
        return self._values[first : first + count]

    def padded(self, values: ExtensionVector) -> ExtensionVector:
        """What is sent for some values: each with the next pad."""
        pads = self.take(len(values))
        return values.plus(pads) if len(pads) > 0 else values

    def received(self, values: ExtensionVector) -> SentVector:
        """Sent scalars, with the next pads."""
        return SentVector(values, self._advance(len(values)))

    def _advance(self, count: int) -> int | None:
        if self.count == 0:
            return None
        first, self._used = self._used, self._used + count
        assert self._used <= self.count, "a proof sends as many scalars as it has pads"
        return first
