"""Contractions and linear relations become claims at one random point each.

A relation says affine = sum of products. Let v be the sum of the products' claimed values at a point u of the
output axes. Then the affine side's weighted terms equal v minus its weighted constants. Each product's value
is proven by a sumcheck (Thaler, eprint 2013/351) over

- its contracted axes: all other output axes of both factors are bound at u first;
- and its shared axes, output axes that are in both factors: there eq(u, .) is a third factor.

Where taps meet a contracted axis, as in a convolution, the sumcheck runs over them in that axis's stead. With
S_i(u, x) = sum_h eq(u, h) [index x is that of (h, i)],

    out(ro, u, v) = sum_{c,i,j} W(ro, c, i, j) [ sum_{x,y} S_i(u, x) S_j(v, y) X(c, x, y) ].

So X, bound to taps, is a factor over (c, i, j). Its evaluation at (c*, i*, j*) is a claim on X itself, with
the vectors sum_i eq(i*, i) S_i(u, .) and sum_j eq(j*, j) S_j(v, .) on its axes x and y. Every final
evaluation becomes a claim of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from deepprove_dist.canonical import FrozenStruct
from deepprove_dist.kernels import AxisWeights, Extension, ExtensionVector, SpaceWeights, Transcript
from deepprove_dist.protocol.claims.claim import ONE, Claim
from deepprove_dist.protocol.claims.sent import SentValue, SentVector
from deepprove_dist.protocol.relations.affine import affine_terms
from deepprove_dist.protocol.relations.axis_weights import spread_taps
from deepprove_dist.protocol.system.system import Factor, Product, Relation, SumcheckSpace, System, Taps


class BoundRelation(FrozenStruct, frozen=True):
    """A relation and the weights eq(u, .) on each output axis."""

    relation: Relation
    point: ExtensionVector
    axes: SpaceWeights

    @classmethod
    def at(cls, relation: Relation, point: ExtensionVector) -> BoundRelation:
        """The relation at the coordinates of all its output axes."""
        return cls(relation, point, SpaceWeights.split(point, relation.affine.space))


class ProductInstance(FrozenStruct, frozen=True):
    """A product at its relation's point: one claim of the batched sumcheck."""

    product: Product
    outputs: SpaceWeights
    sumcheck: SumcheckSpace

    @property
    def factors(self) -> tuple[Factor, Factor]:
        """Left and right."""
        return self.product.left, self.product.right

    def shared_weight(self, point: ExtensionVector) -> Extension:
        """The third factor at the sumcheck's point: eq of shared axes, 1 without any."""
        u = self.shared_point()
        return u.eq_at(instance_point(self, point)[: len(u)])

    def bound_axes(self, factor: Factor) -> list[AxisWeights | None]:
        """For each axis of a factor the weights that it is bound to before the sumcheck, if it is."""
        free = {*self.sumcheck.shared, *range(len(self.outputs), max(factor.axes, default=0) + 1)}
        return [None if axis in free else self.outputs[axis] for axis in factor.axes]

    def met_by_taps(self, factor: Factor) -> list[Taps | None]:
        """For each axis of a factor the taps that meet it, if it is a contracted one that they meet."""
        met = {len(self.outputs) + taps.contracted: taps for taps in self.product.taps}
        return [met.get(axis) for axis in factor.axes]

    def shared_point(self) -> ExtensionVector:
        """The coordinates of u on the shared axes."""
        point = ExtensionVector.from_bytes(b"")
        for axis in self.sumcheck.shared:
            coordinates = self.outputs[axis].point
            assert coordinates is not None, "relations are bound at points"
            point = point + coordinates
        return point


def draw_points(system: System, transcript: Transcript) -> list[BoundRelation]:
    """Draws the point of every relation: a coordinate for each bit of its output axes."""
    relations = []
    for relation in system.relations:
        label = "contraction/point" if relation.products else "linear/point"
        point = transcript.challenges(label, relation.affine.bits)
        relations.append(BoundRelation.at(relation, point))
    return relations


def product_instances(relations: Sequence[BoundRelation]) -> list[ProductInstance]:
    """All products, in the order of relations."""
    return [
        ProductInstance(product, bound.axes, sumcheck)
        for bound in relations
        for product, sumcheck in zip(bound.relation.products, bound.relation.sumchecks, strict=True)
    ]


def claim_affine_sides(system: System, relations: Sequence[BoundRelation], sums: SentVector) -> list[Claim]:
    """A claim about each relation's affine side; `sums` are the claimed sums, one a product."""
    claims, first = [], 0
    for bound in relations:
        coefficients = [product.coefficient for product in bound.relation.products]
        end = first + len(coefficients)
        total = sums.part(first, end).dot(ExtensionVector(coefficients))
        first = end
        terms, known = affine_terms(system, bound.relation.affine, bound.axes, ONE)
        claims.append(Claim.about(total - SentValue(known), terms))
    return claims


def claim_factors(
    system: System,
    products: Sequence[ProductInstance],
    point: ExtensionVector,
    finals: SentVector,
) -> list[Claim]:
    """A claim about the final evaluation of both factors of each product.

    `point` has the challenges of all rounds of the sumcheck, `finals` the evaluations, product by product.
    """
    claims, values = [], iter(finals)
    for instance in products:
        weights = _factor_weights(instance, instance_point(instance, point))
        for factor in instance.factors:
            terms, known = affine_terms(system, factor.value, weights.take(factor.axes), ONE)
            claims.append(Claim.about(next(values) - SentValue(known), terms))
    return claims


def instance_point(instance: ProductInstance, point: ExtensionVector) -> ExtensionVector:
    """The point of one product: as many of the last challenges as it has variables."""
    return point[len(point) - instance.sumcheck.variables :]


def _factor_weights(instance: ProductInstance, point: ExtensionVector) -> SpaceWeights:
    """The weights of every axis of a product at the sumcheck's point: outputs, contracted axes, taps."""
    axes = SpaceWeights.split(point, instance.sumcheck.sizes)
    if not instance.sumcheck.shared and not instance.product.taps:
        return instance.outputs + axes
    first = len(instance.sumcheck.shared)
    outputs, contracted = list(instance.outputs), [axes[index] for index in range(first, len(axes))]
    for index, axis in enumerate(instance.sumcheck.shared):
        outputs[axis] = axes[index]
    taps = []
    for met in instance.product.taps:
        taps.append(contracted[met.contracted])
        size = instance.product.contracted[met.contracted]
        contracted[met.contracted] = spread_taps(instance.outputs, met.map, size, taps[-1])
    return SpaceWeights([*outputs, *contracted, *taps])
