"""Quotients and roots, which a relation and the range of a remainder determine: two rules of `determinism`.

*Quotient.* A relation says A - R = c Y B: one product that contracts nothing, with c > 0. A and B are known.
Products that contract something, of known factors, are a part of A. No other product contracts nothing, so
that time is linear. Y and R are expressions of unknown tensors. R >= 0 follows from proven ranges, and
c B - 1 - R >= 0 is proven (`nonnegative`). Two solutions have c B (Y - Y') = R' - R modulo p. The left side
is at most c |B| span(Y) in absolute value, and the right side at most span(R). Their sum has to be below p,
so that this is an equation of integers. Then |R' - R| <= c B - 1 < c B, and so Y = Y' and R = R'. No weights
are in B, as nothing bounds them.

*Root.* A relation says A - b + R = b b, where A is known and b is one unknown tensor. R >= 0 and b >= 0
follow from proven ranges, and 2 b - 1 - R >= 0 is proven. Then A = b^2 + b - R is in
[b^2 - b + 1, b^2 + b]. For different b, these intervals have no integer in common. All of them lie in [1, p),
as b^2 + b < p for the largest b. So A, which is known modulo p, determines b, and then R.

Tensors that make up Y or R follow from its value by rule 4, as digits do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from deepprove_dist.canonical import replace
from deepprove_dist.field import MODULUS
from deepprove_dist.protocol.system.digits import MAX_DIGITS, Equation
from deepprove_dist.protocol.system.index_map import Axis, IndexMap
from deepprove_dist.protocol.system.nonnegative import Nonnegative
from deepprove_dist.protocol.system.ranges import affine_range
from deepprove_dist.protocol.system.system import Affine, Constant, Factor, Product, Relation, System, Term
from deepprove_dist.protocol.system.table import Interval


def remainder_equations(
    system: System, ranges: Mapping[int, Interval], known: Set[int]
) -> Iterator[RemainderEquation]:
    """One for each relation with one product that contracts nothing."""
    equations = [(r, product) for r in system.relations if (product := _of_elements(r)) is not None]
    if not equations:
        return
    nonnegative = Nonnegative(system, ranges)
    for relation, product in equations:
        apart = _tensors(_factors(other for other in relation.products if other is not product))
        tensors = _tensors((relation.affine, product.left.value, product.right.value)) | apart
        yield RemainderEquation(system, ranges, nonnegative, relation, product, apart, set(tensors - known))


@dataclass(frozen=True)
class RemainderEquation:
    """A relation with a product of elements, which may determine its `unknown` tensors.

    `apart` are the tensors of its other products.
    """

    system: System
    ranges: Mapping[int, Interval]
    nonnegative: Nonnegative
    relation: Relation
    product: Product
    apart: frozenset[int]
    unknown: set[int]

    def determines_all(self, spans: Mapping[int, int]) -> bool:
        """Whether the unknown tensors, one or more, are a quotient or a root, and its remainder."""
        if not 1 <= len(self.unknown) <= 2 * MAX_DIGITS or not self.unknown <= spans.keys():
            return False
        if not self.unknown.isdisjoint(self.apart):
            return False
        product, left, right = self.product, self.product.left, self.product.right
        if not self.nonnegative.afford(self.relation.affine, left.value, right.value):
            return False
        return (
            self._is_quotient(product, left, right, spans)
            or self._is_quotient(product, right, left, spans)
            or self._is_root(product, spans)
        )

    def _is_quotient(self, product: Product, y: Factor, b: Factor, spans: Mapping[int, int]) -> bool:
        quotients, remainders = self._unknown_of(y.value), self._unknown_of(self.relation.affine)
        apart = not self._unknown_of(b.value) and not quotients & remainders
        if product.coefficient < 1 or not apart or not quotients or not remainders:
            return False
        if not all(term.tensor in self.ranges for term in b.value.terms):
            return False
        if not self._digits(y.value, quotients, spans):
            return False
        if not self._digits(self.relation.affine, remainders, spans):
            return False
        remainder = self._remainder(remainders, -1)
        low, high = affine_range(self.system, remainder, self.ranges)
        ends = affine_range(self.system, b.value, self.ranges)
        span = sum(abs(term.coefficient) * spans.get(term.tensor, 0) for term in y.value.terms)
        if low < 0 or product.coefficient * max(map(abs, ends)) * span + high - low >= MODULUS:
            return False
        divisor = _over(b, self.relation.affine.space)
        return self._leaves(divisor, product.coefficient, remainder)

    def _is_root(self, product: Product, spans: Mapping[int, int]) -> bool:
        space, root = self.relation.affine.space, product.left.value.stored
        every = tuple(range(len(space)))
        if len(self.relation.products) > 1:
            return False
        if product.left != product.right or product.left.axes != every or root not in self.unknown:
            return False
        assert root is not None
        itself = [term for term in self.relation.affine.terms if term.tensor == root]
        if itself != [Term(-1, root, every)] or product.coefficient != 1:
            return False
        remainders = self.unknown - {root}
        if not remainders or remainders != self._unknown_of(self.relation.affine) - {root}:
            return False
        if not self._digits(self.relation.affine, remainders, spans):
            return False
        remainder, (least, largest) = self._remainder(remainders, 1), self.ranges[root]
        low, _ = affine_range(self.system, remainder, self.ranges)
        if low < 0 or least < 0 or largest * largest + largest >= MODULUS:
            return False
        return self._leaves(product.left.value, 2, remainder)

    def _unknown_of(self, value: Affine) -> set[int]:
        return self.unknown & {term.tensor for term in value.terms}

    def _digits(self, value: Affine, tensors: set[int], spans: Mapping[int, int]) -> bool:
        """Whether the value of an expression determines these tensors of it, once all others are known."""
        others = {term.tensor for term in value.terms} - tensors
        return Equation.of(self.system, value, (), others).determines_all(spans)

    def _remainder(self, tensors: set[int], sign: int) -> Affine:
        """The terms of the relation's affine side with these tensors, times a sign."""
        affine = self.relation.affine
        terms = (term for term in affine.terms if term.tensor in tensors)
        signed = tuple(replace(term, coefficient=sign * term.coefficient) for term in terms)
        return Affine(affine.space, signed, ())

    def _leaves(self, divisor: Affine, factor: int, remainder: Affine) -> bool:
        """Whether factor * divisor - 1 - remainder >= 0 is proven."""
        terms = [replace(term, coefficient=factor * term.coefficient) for term in divisor.terms]
        terms += [replace(term, coefficient=-term.coefficient) for term in remainder.terms]
        constants = [replace(constant, value=factor * constant.value) for constant in divisor.constants]
        return self.nonnegative.proves(Affine(remainder.space, tuple(terms), (*constants, Constant(-1))))


def _of_elements(relation: Relation) -> Product | None:
    """The one product of a relation that contracts nothing; None of none, and of several."""
    products = [product for product in relation.products if not product.contracted and not product.taps]
    return products[0] if len(products) == 1 else None


def _factors(products: Iterable[Product]) -> Iterator[Affine]:
    return (factor.value for product in products for factor in (product.left, product.right))


def _tensors(values: Iterable[Affine]) -> frozenset[int]:
    return frozenset(term.tensor for value in values for term in value.terms)


def _over(factor: Factor, space: tuple[int, ...]) -> Affine:
    """A factor's expression over the output axes of its relation."""

    def moved(axis: Axis) -> Axis:
        return factor.axes[axis] if isinstance(axis, int) else through(axis)

    def through(cover: IndexMap) -> IndexMap:
        return replace(cover, axes=tuple(factor.axes[k] for k in cover.axes))

    value = factor.value
    terms = tuple(replace(term, axes=tuple(map(moved, term.axes))) for term in value.terms)
    constants = tuple(
        replace(constant, within=tuple(map(through, constant.within))) for constant in value.constants
    )
    return Affine(space, terms, constants)
