"""Sums that lookups prove to be maxima, and so have narrower ranges than sums have.

Let (a, d) be looked up in the table of max(q, 0), with a = e - m at every position of the axes of the tensor
d. Then m + d = m + max(e - m, 0) = max(e, m), whatever e and m are. Both e and m have a range. So m + d is at
least the larger one of the lower ends. It is at most the larger one of the upper ends. It is in the sum of
the ranges of m and d too. So a max pool runs over its window: x_0 + d_1 + d_2 + ... is in the range of x, not
in as many ranges as there are gains.

Proof that `fold` keeps every value. Let c be a number, and L a linear map from the positions of d to those of
an expression. `fold` replaces the terms c L(d) and c L(m) by one term c L(M) of M = m + d. L is what the axes
of d's term say: each follows axes plainly, or by an index map. It is known to be the map of another term t of
m where t follows through the same axes. An axis that t lacks must then be followed plainly. Another map would
take a part of it only, or take it several times. M has the same positions as d, so that the range of c L(M)
follows from that of M as for any tensor.

The equation d = max(a, 0) is one of integers only where a cannot wrap modulo p. So maxima are added in the
order of lookups, each after the ranges of its argument's tensors are known. The check of a lookup, and these
ranges, rest on maxima before it alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import replace
from deepprove_dist.protocol.system.index_map import (
    Axis,
    IndexMap,
    followed,
    is_plain,
    positions,
)
from deepprove_dist.protocol.system.system import Affine, Constant, Lookup, LookupTable, Term
from deepprove_dist.protocol.system.table import Interval

MAX_STEPS = 1 << 17
"""Parts of arguments that are looked for, and parts compared in cells. A key may have more; what is not
folded, or not compared, is only wider.
"""
SCALES_A_STEP = 64
"""Factors and listed indices of index maps that are compared in one step."""

_Within = frozenset[IndexMap]
"""The covers of a constant, in any order."""


@dataclass(frozen=True)
class _Gain:
    """A tensor d = max(argument, 0), of the argument's shape, in the range that its table proves."""

    number: int
    argument: Affine
    range: Interval

    @property
    def shape(self) -> Shape:
        return self.argument.space

    @cached_property
    def scales(self) -> int:
        return sum(map(_scales, self.argument.terms))


class Maxima:
    """The maxima of a system's lookups so far.

    In what `fold` returns, tensor -1 - k is the k-th maximum, in the range `ranges[k]`, of the shape of the
    tensor `gains[k]`. `range_of` bounds an expression that has been folded.
    """

    def __init__(self, range_of: Callable[[Affine], Interval]) -> None:
        self.ranges: list[Interval] = []
        self.gains: list[int] = []
        self._range_of, self._steps = range_of, 0
        self._gains: dict[int, _Gain] = {}
        self._known: dict[tuple[int, Affine], int] = {}

    def afford(self, steps: int) -> bool:
        """Takes so many steps off what a system may cost, if they are there."""
        enough = self._steps + steps <= MAX_STEPS
        self._steps += steps if enough else 0
        return enough

    def add(self, lookup: Lookup, table: LookupTable) -> None:
        """Takes a lookup of (a, d), d a tensor, in a table of max(q, 0) into account; any other one not."""
        gain = lookup.columns[-1].stored
        if gain is None or gain in self._gains or table.function is None or not _is_positive_part(table):
            return
        argument = self.fold(lookup.columns[0])
        self._gains[gain] = _Gain(len(self._gains), argument, table.function.interval())

    def fold(self, affine: Affine) -> Affine:
        """The expression with maxima instead of gains and what they are added to."""
        present = [term for term in affine.terms if term.tensor in self._gains]
        if not present:
            return affine
        terms = Counter(affine.terms)
        constants = Counter((constant.value, frozenset(constant.within)) for constant in affine.constants)
        # In the order in which they were added: a gain's argument has maxima before it.
        for term in sorted(present, key=lambda term: self._gains[term.tensor].number):
            self._fold_one(term, affine.space, terms, constants)
        others = (Constant(value, tuple(within)) for value, within in constants.elements())
        return Affine(affine.space, tuple(terms.elements()), tuple(others))

    def _fold_one(
        self,
        term: Term,
        space: Shape,
        terms: Counter[Term],
        constants: Counter[tuple[int, _Within]],
    ) -> None:
        """Takes c d, and as much of c m as is there, out of an expression, and puts c (m + d) in."""
        gain = self._gains[term.tensor]
        looked_for = len(gain.argument.terms) + len(gain.argument.constants)
        steps = looked_for * (1 + _scales(term) // SCALES_A_STEP) + gain.scales // SCALES_A_STEP
        if terms[term] == 0 or not self.afford(steps):
            return
        smaller_terms, smaller_constants = list[Term](), list[Constant]()
        terms[term] -= 1
        sizes = term.sizes(gain.shape)
        plain = [is_plain(axis, space, size) for axis, size in zip(term.axes, sizes, strict=True)]
        for part in gain.argument.terms:
            smaller = replace(part, coefficient=-part.coefficient)
            mapped = _mapped_term(smaller, term, plain)
            if mapped is not None and terms[mapped] > 0:
                terms[mapped] -= 1
                smaller_terms.append(smaller)
        if not smaller_terms:
            terms[term] += 1
            return
        for constant in gain.argument.constants:
            negative = replace(constant, value=-constant.value)
            within = _mapped_constant(negative, term, plain, sizes, space)
            if within is not None and constants[within] > 0:
                constants[within] -= 1
                smaller_constants.append(negative)
        subtrahend = Affine(gain.shape, tuple(smaller_terms), tuple(smaller_constants))
        terms[replace(term, tensor=self._maximum(term.tensor, subtrahend))] += 1

    def _maximum(self, tensor: int, smaller: Affine) -> int:
        """The number, as a tensor, of m + d = max(a + m, m)."""
        if (tensor, smaller) not in self._known:
            gain = self._gains[tensor]
            larger = _sum(gain.argument, smaller)
            ends, others = self._range_of(larger), self._range_of(smaller)
            low = max(ends[0], others[0], others[0] + gain.range[0])
            high = min(max(ends[1], others[1]), others[1] + gain.range[1])
            self.ranges.append((low, high))
            self.gains.append(tensor)
            self._known[tensor, smaller] = -len(self.ranges)
        return self._known[tensor, smaller]


def _scales(term: Term) -> int:
    """Factors and listed indices of its index maps."""
    maps = [axis for axis in term.axes if isinstance(axis, IndexMap)]
    return sum(len(axis.scale) + len(axis.listed or ()) for axis in maps)


def _is_positive_part(table: LookupTable) -> bool:
    """Whether a table is max(q, 0): it is at the ends of its pieces, and no whole slope leads past 0."""
    assert table.function is not None
    # At 0 alone it turns.
    if len(table.function.pieces) > 2:
        return False
    pieces = table.function.pieces.rows()
    starts = [start for start, _, _ in pieces]
    for (start, value, slope), end in zip(pieces, [*starts[1:], table.size], strict=True):
        first, last = table.first + start, table.first + end - 1
        if (value, value + slope * (last - first)) != (max(first, 0), max(last, 0)):
            return False
    return True


def _sum(first: Affine, second: Affine) -> Affine:
    """The sum of two expressions over one space, without what cancels."""
    terms, constants = Counter[tuple[int, tuple[Axis, ...]]](), Counter[_Within]()
    for term in (*first.terms, *second.terms):
        terms[term.tensor, term.axes] += term.coefficient
    for constant in (*first.constants, *second.constants):
        constants[frozenset(constant.within)] += constant.value
    return Affine(
        first.space,
        tuple(Term(coefficient, *key) for key, coefficient in terms.items() if coefficient),
        tuple(Constant(value, tuple(within)) for within, value in constants.items() if value),
    )


def _mapped_term(term: Term, gain: Term, plain: Sequence[bool]) -> Term | None:
    """A term of the gain's argument under the map that the gain's own term says; None if it is no term.

    `plain` says which axes of the gain's term follow plainly.
    """
    single = {axis for axis in term.axes if isinstance(axis, int)}
    if not all(is_followed or axis in single for axis, is_followed in enumerate(plain)):
        return None
    axes = tuple(gain.axes[axis] if isinstance(axis, int) else _through(axis, gain) for axis in term.axes)
    return Term(term.coefficient * gain.coefficient, term.tensor, axes)


def _through(axis: IndexMap, gain: Term) -> IndexMap:
    """A map of axes of the gain, as one of what these follow; all of them are followed plainly."""
    return replace(axis, axes=tuple(k for part in axis.axes for k in followed(gain.axes[part])))


def _mapped_constant(
    constant: Constant, gain: Term, plain: Sequence[bool], sizes: Shape, space: Shape
) -> tuple[int, _Within] | None:
    """A constant of the gain's argument under the same map: where a map of one tap is inside.

    None where there is no such constant.
    """
    if not all(plain[axis] for cover in constant.within for axis in cover.axes):
        return None
    within = [_through(cover, gain) for cover in constant.within]
    for axis, size, is_followed in zip(gain.axes, sizes, plain, strict=True):
        if isinstance(axis, IndexMap) and not is_followed:
            whole, runs = (0, positions(space, axis)), axis.runs(size)
            if axis.taps != 1 or axis.scale or (axis.first, axis.end) != whole or len(runs) > 1:
                return None
            if runs != [whole]:
                within.append(IndexMap.covering(axis.axes, *(runs[0] if runs else (0, 0))))
    return constant.value * gain.coefficient, frozenset(within)
