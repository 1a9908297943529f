"""Expressions whose value fixes what they are made of, as a number fixes its digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from deepprove_dist.arrays import Shape
from deepprove_dist.field import MODULUS
from deepprove_dist.protocol.system.system import Affine, System, Term

MAX_DIGITS = MODULUS.bit_length() - 1
"""Unknown tensors that one expression can determine."""


def covers_once(space: Shape, term: Term, shape: Shape) -> bool:
    """Whether a term pairs the positions of an index space and the elements of its tensor one to one.

    `shape` is the tensor's. The term's axes are distinct, and sizes are those of what they follow (`check`).
    So it must follow every axis that has more than one position, alone or joined with others. Each must be
    followed plainly: another map may repeat elements or leave them out.
    """
    followed = set(term.follows)
    whole = all(size == 1 or axis in followed for axis, size in enumerate(space))
    return whole and term.is_plain(space, shape)


@dataclass(frozen=True)
class Equation:
    """An expression whose value is known once its `unknown` tensors beside `coefficients` are.

    `coefficients` are those of the tensors that it may determine.
    """

    unknown: set[int]
    coefficients: Mapping[int, int]

    @classmethod
    def of(cls, system: System, value: Affine, given: Sequence[Affine], known: Set[int]) -> Equation:
        """The expression `value`, which is known at each position where the expressions `given` are."""
        needed = {term.tensor for affine in given for term in affine.terms}
        coefficients: dict[int, int] = {}
        twice = set(needed)
        for term in value.terms:
            if term.tensor in coefficients:
                twice.add(term.tensor)
            shape = system.tensors[term.tensor].shape
            solvable = term.coefficient % MODULUS != 0 and covers_once(value.space, term, shape)
            coefficients[term.tensor] = term.coefficient if solvable else 0
        unknown = (needed | coefficients.keys()) - known
        usable = {tensor: c for tensor, c in coefficients.items() if c != 0 and tensor not in twice}
        return cls(unknown, usable)

    def determines_all(self, spans: Mapping[int, int]) -> bool:
        """Rule 4: whether the unknown tensors, one or more, have one solution."""
        if not 1 <= len(self.unknown) <= MAX_DIGITS or not self.unknown <= self.coefficients.keys():
            return False
        if len(self.unknown) == 1:
            return True
        if not self.unknown <= spans.keys():
            return False
        total = 0
        for size, span in sorted((abs(self.coefficients[tensor]), spans[tensor]) for tensor in self.unknown):
            if size <= total:
                return False
            total += size * span
        return total < MODULUS
