"""The prover's side of contractions: bind output axes, run the batched sumcheck."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
from deepprove_dist.protocol.relations.contraction import (
    Instance,
    claim_affine_sides,
    claim_factors,
    draw_points,
    instances,
)
from deepprove_dist.protocol.relations.system import Factor, Shape, System

Values = Callable[[int], BaseVector]
"""The elements of a committed tensor, in row-major order, by its index."""


def prove_relations(
    system: System, values: Values, transcript: Transcript, claims: ClaimList, pool: Pool
) -> RelationsProof:
    """Proves all relations down to claims."""
    bound = draw_points(system, transcript)
    batch = instances(bound)
    factors = [
        [_bind(system, values, instance, factor, pool) for factor in instance.factors] for instance in batch
    ]
    sums = ExtensionVector([left.dot(right) for left, right in factors])
    transcript.absorb_extension("contraction/sums", sums)
    claim_affine_sides(bound, sums, claims)
    batching = transcript.challenge("contraction/batching")
    inputs: list[tuple[Extension, list[ExtensionVector]]] = [
        (sums[index], pair) for index, pair in enumerate(factors)
    ]
    rounds, finals, point = sumcheck_prove(inputs, batching, transcript, pool)
    claim_factors(batch, point, finals, claims)
    return RelationsProof(sums, rounds, finals)


def _bind(system: System, values: Values, instance: Instance, factor: Factor, pool: Pool) -> ExtensionVector:
    """A factor over the hypercube of its contracted axes, output axes bound at the relation's point."""
    vector: BaseVector | ExtensionVector = values(factor.tensor)
    sizes = list(system.tensors[factor.tensor].shape)
    contracted: Shape = instance.product.contracted
    # From the last axis on, so that the places of the others stay.
    for place in reversed(range(len(sizes))):
        axis = factor.axes[place]
        if axis < len(instance.outputs):
            vector = _bind_axis(vector, sizes, place, instance.outputs[axis], pool)
            sizes[place] = 1
    return pad_axes(vector, list(contracted))


def _bind_axis(
    vector: BaseVector | ExtensionVector,
    sizes: Sequence[int],
    place: int,
    coordinates: ExtensionVector,
    pool: Pool,
) -> ExtensionVector:
    outer = inner = 1
    for size in sizes[:place]:
        outer *= size
    for size in sizes[place + 1 :]:
        inner *= size
    weights = ExtensionVector.eq(coordinates)[: sizes[place]]
    return bind_axis(vector, (outer, sizes[place], inner), weights, pool)
