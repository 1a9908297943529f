"""Contractions and linear relations become claims at one random point each.

At a point u of the output axes, sum of terms + constant = sum of products turns into

    sum_terms coefficient * (tensor at u) * (ones along the axes that it lacks) = v - constant * ones(u),

with v the sum of the products' claimed values, each proven by a sumcheck over its contracted axes alone
(Thaler, eprint 2013/351): the output axes of both factors are bound at u first. "Ones" at u is the product of
sum_{i < d} eq(u_axis, i): a constant lives on the tensor's places, not on its padding. The sumcheck ends in
an evaluation of each factor, and each becomes a claim of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.kernels import AxisVector, Extension, ExtensionVector, Transcript
from deepprove_dist.protocol.claims import ONE, ClaimList, ProductTerm, split_point
from deepprove_dist.protocol.relations.system import Factor, Product, Relation, Shape, System, space_bits


@dataclass(frozen=True)
class BoundRelation:
    """A relation and the coordinates of each output axis."""

    relation: Relation
    axes: tuple[ExtensionVector, ...]


@dataclass(frozen=True)
class Instance:
    """A product at its relation's point: one claim of the batched sumcheck."""

    product: Product
    outputs: tuple[ExtensionVector, ...]

    @property
    def variables(self) -> int:
        """Variables of the sumcheck."""
        return space_bits(self.product.contracted)

    @property
    def factors(self) -> tuple[Factor, Factor]:
        """Left and right."""
        return self.product.left, self.product.right


def draw_points(system: System, transcript: Transcript) -> list[BoundRelation]:
    """Draws the point of every relation."""
    bound = []
    for relation in system.relations:
        space = relation.affine.space
        label = "contraction/point" if relation.products else "linear/point"
        point = transcript.challenges(label, space_bits(space))
        bound.append(BoundRelation(relation, tuple(split_point(point, space))))
    return bound


def instances(bound: Sequence[BoundRelation]) -> list[Instance]:
    """All products, in the order of relations."""
    return [Instance(product, item.axes) for item in bound for product in item.relation.products]


def claim_affine_sides(bound: Sequence[BoundRelation], sums: ExtensionVector, claims: ClaimList) -> None:
    """Adds each relation's affine side as a claim; `sums` are the claimed sums of all instances."""
    place = 0
    for item in bound:
        affine, count = item.relation.affine, len(item.relation.products)
        total = Extension(0)
        for index in range(place, place + count):
            total += sums[index]
        place += count
        value = total - Extension(affine.constant) * _ones(item.axes, affine.space, range(len(affine.space)))
        terms = []
        for term in affine.terms:
            missing = [axis for axis in range(len(affine.space)) if axis not in term.axes]
            coefficient = _ones(item.axes, affine.space, missing) * term.coefficient
            vectors = tuple(AxisVector.eq(item.axes[axis]) for axis in term.axes)
            terms.append(ProductTerm(coefficient, term.tensor, vectors))
        claims.add(value, *terms)


def claim_factors(
    batch: Sequence[Instance], point: ExtensionVector, finals: ExtensionVector, claims: ClaimList
) -> None:
    """Adds the final evaluations of the batched sumcheck, two an instance, as claims."""
    for index, instance in enumerate(batch):
        own = point[len(point) - instance.variables :]
        axes = [*instance.outputs, *split_point(own, instance.product.contracted)]
        for side, factor in enumerate(instance.factors):
            vectors = tuple(AxisVector.eq(axes[axis]) for axis in factor.axes)
            claims.add(finals[2 * index + side], ProductTerm(ONE, factor.tensor, vectors))


def _ones(axes: Sequence[ExtensionVector], space: Shape, which: Sequence[int]) -> Extension:
    product = ONE
    for axis in which:
        product *= axes[axis].eq_prefix_sum(space[axis])
    return product
