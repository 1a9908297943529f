"""The prover's side of contractions: bind output axes, spread windows, run the batched sumcheck."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

from deepprove_dist.kernels import (
    BaseVector,
    Extension,
    ExtensionVector,
    Pool,
    Transcript,
    bind_axis,
    pad_axes,
    sumcheck_prove,
)
from deepprove_dist.protocol.claims import ClaimList
from deepprove_dist.protocol.proof import RelationsProof
from deepprove_dist.protocol.relations.affine import IntArray, evaluate_affine
from deepprove_dist.protocol.relations.contraction import (
    BoundRelation,
    Instance,
    claim_affine_sides,
    claim_factors,
    draw_points,
    instances,
)
from deepprove_dist.protocol.relations.system import Affine, Factor, System, space_bits
from deepprove_dist.timing import timed

Values = Callable[[Affine], BaseVector]
"""The elements of an expression in row-major order."""

Binder = Callable[[Sequence[BoundRelation], Sequence[Instance]], list[list[ExtensionVector]]]
"""Both factors of each instance over the hypercube of its sumcheck."""


def expression_values(
    system: System, vectors: Mapping[int, BaseVector], tensors: Mapping[int, IntArray]
) -> Values:
    """Looks stored expressions up among field vectors, and evaluates others from the tensors' integers."""

    def values(affine: Affine) -> BaseVector:
        if affine.in_order is not None:
            return vectors[affine.in_order]
        return BaseVector.from_array(evaluate_affine(system, affine, tensors).reshape(-1))

    return values


def bind_here(values: Values, pool: Pool) -> Binder:
    """Binds all factors on this machine."""

    def bind(bound: Sequence[BoundRelation], batch: Sequence[Instance]) -> list[list[ExtensionVector]]:
        return [
            [bind_factor(values(factor.value), instance, factor, pool) for factor in instance.factors]
            for instance in batch
        ]

    return bind


@timed("relations", "proving")
def prove_relations(
    system: System, bind: Binder, transcript: Transcript, claims: ClaimList, pool: Pool
) -> RelationsProof:
    """Proves all relations down to claims."""
    bound = draw_points(system, transcript)
    batch = instances(bound)
    factors = bind(bound, batch)
    for instance, own in zip(batch, factors, strict=True):
        if instance.shared:
            inner = 1 << space_bits(instance.product.contracted)
            own.append(ExtensionVector.eq(instance.shared_point()).repeat_each(inner))
    sums = ExtensionVector([_sum(own) for own in factors])
    transcript.absorb_extension("contraction/sums", sums)
    claim_affine_sides(system, bound, sums, claims)
    batching = transcript.challenge("contraction/batching")
    inputs: list[tuple[Extension, list[ExtensionVector]]] = [
        (sums[index], own) for index, own in enumerate(factors)
    ]
    rounds, finals, point = sumcheck_prove(inputs, batching, transcript, pool)
    claim_factors(system, batch, point, finals, claims)
    return RelationsProof(sums, rounds, finals)


def _sum(factors: list[ExtensionVector]) -> Extension:
    """The sum over the hypercube of the product of two or three factors."""
    left, right, *shared = factors
    return left.times(shared[0]).dot(right) if shared else left.dot(right)


def bind_factor(vector: BaseVector, instance: Instance, factor: Factor, pool: Pool) -> ExtensionVector:
    """A factor over the hypercube of the sumcheck: output axes bound, windows spread."""
    sizes = list(factor.value.space)
    # The one weight of an axis of one place, as of a single sample, is 1.
    weights = [None if own is None or own.size == 1 else own.dense for own in instance.bound_axes(factor)]
    return spread_factor(bind_outputs(vector, sizes, weights, pool), instance, factor, pool)


def bind_outputs(
    vector: BaseVector, sizes: Sequence[int], weights: Sequence[ExtensionVector | None], pool: Pool
) -> BaseVector | ExtensionVector:
    """A tensor with these axes, or a slice of one, bound to the weights of those axes that have some."""
    bound: BaseVector | ExtensionVector = vector
    sizes = list(sizes)
    # From the last axis on, so that the places of the others stay.
    for place in reversed(range(len(sizes))):
        own = weights[place]
        if own is not None:
            shape = (prod(sizes[:place]), sizes[place], prod(sizes[place + 1 :]))
            bound = bind_axis(bound, shape, own, pool)
            sizes[place] = 1
    return bound


def spread_factor(
    vector: BaseVector | ExtensionVector, instance: Instance, factor: Factor, pool: Pool
) -> ExtensionVector:
    """A factor whose output axes are bound, over the hypercube of the sumcheck: windows are spread."""
    outputs, contracted = len(instance.outputs), len(instance.product.contracted)
    bound = instance.bound_axes(factor)
    sizes = [size if own is None else 1 for size, own in zip(factor.value.space, bound, strict=True)]
    for place in reversed(range(len(sizes))):
        index = factor.axes[place] - outputs - contracted
        if index >= 0:
            window = instance.product.windows[index]
            if isinstance(vector, BaseVector):
                # No axis was bound, and spreading takes extension elements.
                vector = bind_axis(vector, (len(vector), 1, 1), ExtensionVector([1]), pool)
            outer, inner = prod(sizes[:place]), prod(sizes[place + 1 :])
            weights = instance.window_weights(window).dense
            vector = instance.kernel_window(window).spread(vector, outer, inner, weights)
            sizes[place] = instance.product.contracted[window.contracted]
    return pad_axes(vector, list(instance.space))
