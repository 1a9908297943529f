"""The prover's side of contractions: bind output axes, and others to taps, run the batched sumcheck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Protocol, TypeAlias

from deepprove_dist.kernels import (
    BaseVector,
    ChosenElements,
    Extension,
    ExtensionVector,
    Pool,
    Transcript,
    bind_axis,
    pad_axes,
    sumcheck_prove,
)
from deepprove_dist.narrow_integers import LARGE, Integers
from deepprove_dist.protocol.claims.sent import Pads
from deepprove_dist.protocol.messages.proof import RelationsProof
from deepprove_dist.protocol.parameters import round_coefficients
from deepprove_dist.protocol.relations.axis_weights import bind_taps
from deepprove_dist.protocol.relations.chosen import chosen_places, hypercube_indices
from deepprove_dist.protocol.relations.contraction import (
    BoundRelation,
    ProductInstance,
    draw_points,
    product_instances,
)
from deepprove_dist.protocol.system.evaluate import evaluate_affine
from deepprove_dist.protocol.system.system import Affine, Factor, System, space_bits
from deepprove_dist.timing import timed

_NARROW = 2
"""Bytes of integers that the kernels bind as they are."""

BoundFactors: TypeAlias = Sequence[ExtensionVector] | ChosenElements
"""Both factors of a product over the hypercube of its sumcheck; or three, few of whose values count."""


class FactorBinder(Protocol):
    """What binds the factors of a proof's products."""

    def bind_factors(
        self, relations: Sequence[BoundRelation], products: Sequence[ProductInstance]
    ) -> list[BoundFactors]:
        """The factors of each product. `products` are those of `relations`, in their order."""


class LocalBinder:
    """Binds the factors of one system from its tensors in this process."""

    def __init__(
        self,
        system: System,
        vectors: Mapping[int, BaseVector],
        tensors: Mapping[int, Integers],
        pool: Pool,
    ) -> None:
        """`tensors` are the system's integers, by index; `vectors` the same as field elements, row-major."""
        self._system, self._vectors, self._tensors, self._pool = system, vectors, tensors, pool

    def bind_factors(
        self, relations: Sequence[BoundRelation], products: Sequence[ProductInstance]
    ) -> list[BoundFactors]:
        """See `FactorBinder`."""
        return [self.bind_product(instance) for instance in products]

    def bind_product(self, instance: ProductInstance) -> BoundFactors:
        """The factors of one product."""
        places = chosen_places(instance)
        if places is None:
            return [self.bind_factor(instance, factor) for factor in instance.factors]
        *rows, _ = instance.sumcheck.sizes
        matrix = as_elements(self._values(instance.product.right.value))
        return ChosenElements(matrix, hypercube_indices(rows), places, instance.shared_point())

    def bind_factor(self, instance: ProductInstance, factor: Factor) -> ExtensionVector:
        """One factor on the 2^variables points of the sumcheck: its axes bound to outputs and to taps."""
        sizes = list(factor.value.space)
        # The one weight of an axis of size 1, as of a single sample, is 1.
        weights = [
            None if axis is None or axis.size == 1 else axis.dense for axis in instance.bound_axes(factor)
        ]
        bound = bind_outputs(self._values(factor.value), sizes, weights, self._pool)
        return bind_to_taps(bound, instance, factor, self._pool)

    def _values(self, affine: Affine) -> BaseVector | Integers:
        """The values of an expression in row-major order.

        A large tensor in few bytes is read as integers: as elements it takes more memory, and time.
        """
        stored = affine.in_order(self._system)
        if stored is None:
            return evaluate_affine(self._system, affine, self._tensors).reshape(-1)
        tensor = self._tensors[stored]
        if tensor.itemsize <= _NARROW and tensor.size >= LARGE:
            return tensor.reshape(-1)
        return self._vectors[stored]


@timed("relations", "proving")
def prove_relations(
    system: System, binder: FactorBinder, transcript: Transcript, pads: Pads, pool: Pool
) -> RelationsProof:
    """Proves all relations: what is sent.

    The argument is a batched sumcheck (Thaler, eprint 2013/351). `verify_relations` is the other side, and
    has the claims that it ends in.
    """
    relations = draw_points(system, transcript)
    products = product_instances(relations)
    factors = binder.bind_factors(relations, products)
    instances = [_with_shared(*bound) for bound in zip(products, factors, strict=True)]
    sums = ExtensionVector([_sum(instance) for instance in instances])
    sent = pads.padded(sums)
    transcript.absorb_extension("contraction/sums", sent)
    batching = transcript.challenge("contraction/batching")
    shapes = [(instance.sumcheck.variables, instance.sumcheck.degree) for instance in products]
    round_pads = pads.take(round_coefficients(shapes))
    rounds, finals, _ = sumcheck_prove(instances, batching, transcript, pool, round_pads)
    finals = pads.padded(_both_factors(products, finals))
    transcript.absorb_extension("sumcheck/finals", finals)
    return RelationsProof(sent, rounds, finals)


def _both_factors(products: Sequence[ProductInstance], finals: ExtensionVector) -> ExtensionVector:
    """The final evaluations without those of third factors."""
    first, kept = 0, list[int]()
    for instance in products:
        kept += [first, first + 1]
        first += instance.sumcheck.degree
    return finals.take(kept)


def _with_shared(instance: ProductInstance, factors: BoundFactors) -> list[ExtensionVector] | ChosenElements:
    """With eq of shared axes as a third factor."""
    if isinstance(factors, ChosenElements):
        return factors
    if not instance.sumcheck.shared:
        return [*factors]
    inner = 1 << space_bits(instance.product.summed)
    return [*factors, ExtensionVector.eq(instance.shared_point()).repeat_each(inner)]


def _sum(factors: list[ExtensionVector] | ChosenElements) -> Extension:
    """The sum over the hypercube of the product of all factors."""
    if isinstance(factors, ChosenElements):
        return factors.sum
    left, right, *shared = factors
    return left.times(shared[0]).dot(right) if shared else left.dot(right)


def as_elements(values: BaseVector | Integers) -> BaseVector:
    """The same values as field elements."""
    return values if isinstance(values, BaseVector) else BaseVector.from_array(values)


def bind_outputs(
    values: BaseVector | Integers,
    sizes: Sequence[int],
    weights: Sequence[ExtensionVector | None],
    pool: Pool,
) -> BaseVector | ExtensionVector:
    """A tensor with axes of these sizes, or a slice of one, bound to weights.

    `weights` has a vector of the axis's size for each axis that is bound, and None for each that stays. The
    result has the axes that stay, in row-major order.
    """
    bound: BaseVector | ExtensionVector | Integers = values
    sizes = list(sizes)
    # From the last axis on, so that the positions of the others stay.
    for position in reversed(range(len(sizes))):
        axis_weights = weights[position]
        if axis_weights is not None:
            shape = (prod(sizes[:position]), sizes[position], prod(sizes[position + 1 :]))
            bound = bind_axis(bound, shape, axis_weights, pool)
            sizes[position] = 1
    return bound if isinstance(bound, ExtensionVector) else as_elements(bound)


def bind_to_taps(
    vector: BaseVector | ExtensionVector, instance: ProductInstance, factor: Factor, pool: Pool
) -> ExtensionVector:
    """A factor whose output axes are bound, on the 2^variables points of the sumcheck.

    The axes that taps meet are bound to these.
    """
    if not instance.product.taps:
        return pad_axes(vector, list(instance.sumcheck.sizes))
    bound = instance.bound_axes(factor)
    sizes = [size if axis is None else 1 for size, axis in zip(factor.value.space, bound, strict=True)]
    for position, taps in reversed(list(enumerate(instance.met_by_taps(factor)))):
        if taps is not None:
            shape = (prod(sizes[:position]), sizes[position], prod(sizes[position + 1 :]))
            vector = bind_taps(instance.outputs, taps.map, vector, shape, pool)
            sizes[position] = taps.map.taps
    return pad_axes(vector, list(instance.sumcheck.sizes))
