"""Which expressions a system proves not to be negative, at any position."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from deepprove_dist.protocol.system.index_map import Axis, IndexMap
from deepprove_dist.protocol.system.ranges import affine_range
from deepprove_dist.protocol.system.system import Affine, Relation, System, Term
from deepprove_dist.protocol.system.table import Interval

_Parts = dict[tuple[int, tuple[Axis, ...]] | frozenset[IndexMap], int]
"""The coefficient of each tensor with what its axes follow, and the value of constants by what they cover."""

_Key = tuple[tuple[int, ...], frozenset[tuple[object, int]]]

MAX_STEPS = 1 << 16
"""Parts of expressions that are compared, of some 10 microseconds. What is not compared is not proven."""
NUMBERS_A_STEP = 64
"""Factors and listed indices of index maps that are compared in one step."""


class Nonnegative:
    """Expressions that are looked up in a table without negative numbers, or equal to what has none.

    Lookups and relations hold over the integers (`check`). Expressions of the same parts are the same.
    """

    def __init__(self, system: System, ranges: Mapping[int, Interval]) -> None:
        """`ranges` are proven ranges of witness tensors."""
        self._system, self._ranges, self._steps = system, ranges, 0
        self._looked_up: set[_Key] = set()
        self._linear: dict[int, list[Relation]] = defaultdict(list)
        for lookup in system.lookups:
            for column, interval in zip(lookup.columns, system.tables[lookup.table].intervals, strict=True):
                if interval[0] >= 0 and column.stored is None:
                    self._looked_up.add(_key(column))
        for relation in system.relations:
            if not relation.products:
                for tensor in {term.tensor for term in relation.affine.terms}:
                    self._linear[tensor].append(relation)

    def afford(self, *values: Affine) -> bool:
        """Takes the steps of reading these expressions off what a system may cost, if they are there."""
        steps = sum(map(_steps, values))
        enough = self._steps + steps <= MAX_STEPS
        self._steps += steps if enough else 0
        return enough

    def proves(self, affine: Affine) -> bool:
        """Whether an expression with a term is not negative."""
        if _key(affine) in self._looked_up:
            return True
        return any(self._equates(relation, affine) for relation in self._linear[affine.terms[0].tensor])

    def _equates(self, relation: Relation, affine: Affine) -> bool:
        """Whether a relation sets the expression equal to further terms, whose ranges are not negative."""
        if relation.affine.space != affine.space or not self.afford(relation.affine, affine):
            return False
        parts = _parts(affine)
        for sign in (1, -1):
            others = Counter(_parts(relation.affine))
            others.subtract({part: sign * value for part, value in parts.items()})
            kept = {part: value for part, value in others.items() if value}
            terms = tuple(Term(-sign * c, *part) for part, c in kept.items() if isinstance(part, tuple))
            if len(terms) == len(kept) and all(term.tensor in self._ranges for term in terms):
                value = Affine(affine.space, terms, ())
                if affine_range(self._system, value, self._ranges)[0] >= 0:
                    return True
        return False


def _steps(affine: Affine) -> int:
    maps = [axis for term in affine.terms for axis in term.axes if isinstance(axis, IndexMap)]
    numbers = sum(len(axis.scale) + len(axis.listed or ()) for axis in maps)
    return 1 + len(affine.terms) + len(affine.constants) + numbers // NUMBERS_A_STEP


def _key(affine: Affine) -> _Key:
    return affine.space, frozenset(_parts(affine).items())


def _parts(affine: Affine) -> _Parts:
    """The parts that are not zero."""
    parts: Counter[tuple[int, tuple[Axis, ...]] | frozenset[IndexMap]] = Counter()
    for term in affine.terms:
        parts[term.tensor, term.axes] += term.coefficient
    for constant in affine.constants:
        parts[frozenset(constant.within)] += constant.value
    return {part: value for part, value in parts.items() if value}
