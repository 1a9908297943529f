"""The statement's inputs and outputs are committed like any tensor; one claim each binds them.

At a random point u, drawn after the witness is committed, the committed tensor's multilinear extension must
be that of the public integers, which the verifier computes itself: sum_i eq(u, i) x[i] = x~(u). Two different
tensors agree there with probability at most (coordinates of u) / |EF|.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.kernels import (
    AxisVector,
    BaseVector,
    ClaimTerms,
    Extension,
    ExtensionVector,
    Pool,
    ProductTerm,
    Transcript,
    bind_axis,
)
from deepprove_dist.protocol.claims.claim import ONE, Claim, split_point
from deepprove_dist.protocol.messages.commitment import Commitment
from deepprove_dist.protocol.system.system import PublicTensor, System, space_bits


@dataclass(frozen=True)
class PublicValues:
    """The integers of a statement, by name, and the commitments to hidden tensors.

    The integers of a tensor [samples, *shape] are field elements in row-major order. `commitments` come in
    the order of `System.hidden`.
    """

    inputs: Mapping[str, BaseVector]
    outputs: Mapping[str, BaseVector]
    commitments: tuple[Commitment, ...] = ()

    @classmethod
    def of_arrays(
        cls,
        system: System,
        inputs: Mapping[str, IntArray],
        outputs: Mapping[str, IntArray],
        commitments: tuple[Commitment, ...] = (),
    ) -> PublicValues:
        """Those of a system's inputs and outputs, out of arrays [samples, *shape] by name."""

        def vectors(
            tensors: tuple[PublicTensor, ...], arrays: Mapping[str, IntArray]
        ) -> dict[str, BaseVector]:
            return {
                tensor.name: BaseVector.from_array(arrays[tensor.name].reshape(-1))
                for tensor in tensors
                if not system.is_hidden(tensor)
            }

        return cls(vectors(system.inputs, inputs), vectors(system.outputs, outputs), commitments)


def bind_public(system: System, public: PublicValues, transcript: Transcript, pool: Pool) -> list[Claim]:
    """The claims of all inputs, then of all outputs; prover and verifier run the same.

    A hidden tensor has none: a relation says that it is equal to one of the witness. Else one claim a tensor,
    at a point of as many coordinates as its shape [samples, *shape] has bits.
    """
    claims = []
    directions = (("input", system.inputs, public.inputs), ("output", system.outputs, public.outputs))
    for direction, tensors, values in directions:
        for tensor in tensors:
            if system.is_hidden(tensor):
                continue
            shape = system.tensors[tensor.tensor].shape
            point = transcript.challenges(f"public/{direction}", space_bits(shape))
            axes = split_point(point, shape)
            # The one weight of an axis of size 1, as of a single sample, is 1.
            longer = [(size, axis) for size, axis in zip(shape, axes, strict=True) if size > 1]
            weights = [ExtensionVector.eq(axis)[:size] for size, axis in longer]
            value = evaluate(values[tensor.name], tuple(size for size, _ in longer), weights, pool)
            term = ProductTerm(ONE, tensor.tensor, tuple(map(AxisVector.eq, axes)))
            claims.append(Claim(value, ClaimTerms([term])))
    return claims


def evaluate(tensor: BaseVector, shape: Shape, weights: Sequence[ExtensionVector], pool: Pool) -> Extension:
    """The inner product of a tensor with one dense vector for each of its axes.

    `tensor` has prod(shape) elements in row-major order, `weights` one vector an axis, of the axis's size.
    """
    values = bind_axis(tensor, (len(tensor), 1, 1), ExtensionVector([1]), pool) if not shape else tensor
    outer = prod(shape)
    for size, vector in zip(reversed(shape), reversed(weights), strict=True):
        outer //= size
        values = bind_axis(values, (outer, size, 1), vector, pool)
    assert isinstance(values, ExtensionVector)
    return values[0]
