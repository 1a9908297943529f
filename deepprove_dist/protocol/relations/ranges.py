"""Bounds of expressions from the ranges of their tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from deepprove_dist.protocol.relations.affine import places_inside
from deepprove_dist.protocol.relations.maxima import Maxima
from deepprove_dist.protocol.relations.system import Affine, Constant, Matrix, Shape, System, Term, Window

Range = tuple[int, int]

MAX_COMPARED = 1 << 10
"""Pairs of a term and a range that one constant is compared with; beyond them it is added to all terms."""


def affine_range(
    system: System, affine: Affine, ranges: Mapping[int, Range], maxima: Maxima | None = None
) -> Range:
    """Bounds of the witness's part of an expression, from the ranges of its tensors, and of maxima in it."""
    folded = affine if maxima is None else maxima.fold(affine)
    return folded_range(system, folded, ranges, maxima)


def folded_range(system: System, affine: Affine, ranges: Mapping[int, Range], maxima: Maxima | None) -> Range:
    """Bounds of an expression in which maxima have been folded already.

    Constants that pad have places where all terms are 0: at each place there are these or the terms.
    """
    shapes = [(term, _shape(system, term, maxima)) for term in affine.terms if _of_witness(system, term)]
    padding = [c for c in affine.constants if _pads(c, shapes)]
    low, high = _terms_range(system, affine, ranges, maxima)
    if padding:
        least, most = _constants_range(padding)
        low, high = min(low, least), max(high, most)
    least, most = _constants_range([c for c in affine.constants if c not in padding])
    return low + least, high + most


def _of_witness(system: System, term: Term) -> bool:
    return term.tensor < 0 or system.tensors[term.tensor].matrix is Matrix.WITNESS


def _shape(system: System, term: Term, maxima: Maxima | None) -> Shape:
    gain = maxima.gains[-1 - term.tensor] if maxima is not None and term.tensor < 0 else term.tensor
    return system.tensors[gain].shape


def _pads(constant: Constant, terms: Sequence[tuple[Term, Shape]]) -> bool:
    """Whether a constant is only where every term's window, of one place, is outside the tensor."""
    if not 0 < len(terms) * len(constant.ranges) <= MAX_COMPARED:
        return False
    return all(
        any(
            isinstance(axis, Window) and axis.axis == followed and _outside(axis, size, first, end)
            for axis, size in zip(term.axes, shape, strict=True)
            for followed, first, end in constant.ranges
        )
        for term, shape in terms
    )


def _outside(window: Window, size: int, first: int, end: int) -> bool:
    """Whether the places first, ..., end - 1 of a window of one place are outside an axis of `size`."""
    inside = places_inside(window.offset, window.stride, size)
    beside = end <= max(window.first, inside[0]) or min(window.end, inside[1]) <= first
    return window.taps == 1 and beside


def _terms_range(system: System, affine: Affine, ranges: Mapping[int, Range], maxima: Maxima | None) -> Range:
    low = high = 0
    for term in affine.terms:
        if not _of_witness(system, term):
            continue
        folded = maxima is not None and term.tensor < 0
        least, most = maxima.ranges[-1 - term.tensor] if maxima and folded else ranges[term.tensor]
        for axis in term.axes:
            if isinstance(axis, Window):
                scales = axis.scale or (1,)
                # Places outside the tensor count as 0, so a sum has any number of taps.
                ends = [s * axis.taps * end for s in (*scales, 0) for end in (least, most)]
                least, most = min(ends), max(ends)
        ends = [term.coefficient * end for end in (least, most)]
        low, high = low + min(ends), high + max(ends)
    return low, high


def _constants_range(constants: Sequence[Constant]) -> Range:
    few = 1 < len(constants) ** 2 <= MAX_COMPARED
    if few and all(_disjoint(*pair) for pair in combinations(constants, 2)):
        values = [constant.value for constant in constants]
        return min(0, *values), max(0, *values)
    low = high = 0
    for constant in constants:
        ends = [constant.value, 0] if constant.ranges else [constant.value]
        low, high = low + min(ends), high + max(ends)
    return low, high


def _disjoint(first: Constant, second: Constant) -> bool:
    """Whether two constants are nowhere together: they are on intervals of one axis that do not meet."""
    return any(
        own[0] == other[0] and (own[2] <= other[1] or other[2] <= own[1])
        for own in first.ranges
        for other in second.ranges
    )
