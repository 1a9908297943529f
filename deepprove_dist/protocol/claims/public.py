"""The statement's inputs and outputs are committed like any tensor; one claim each binds them.

At a random point u, drawn after the witness is committed, the committed tensor's multilinear extension must
be that of the public integers, which the verifier computes itself: sum_i eq(u, i) x[i] = x~(u). Two different
tensors agree there with probability at most (coordinates of u) / |EF|.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import Shape
from deepprove_dist.kernels import (
    AxisVector,
    BaseVector,
    Extension,
    ExtensionVector,
    Pool,
    Transcript,
    bind_axis,
)
from deepprove_dist.protocol.claims.claim import ONE, Claim, ProductTerm, split_point
from deepprove_dist.protocol.messages.commitment import Commitment
from deepprove_dist.protocol.system.system import System, space_bits


@dataclass(frozen=True)
class PublicValues:
    """The integers of a statement: arrays [samples, *shape] by name; the commitments to hidden tensors.

    `commitments` come in the order of `System.hidden`. The integers of hidden tensors take no part.
    """

    inputs: Mapping[str, npt.NDArray[np.int64]]
    outputs: Mapping[str, npt.NDArray[np.int64]]
    commitments: tuple[Commitment, ...] = ()


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
            vector = BaseVector.from_array(values[tensor.name].reshape(-1))
            weights = [ExtensionVector.eq(axis)[:size] for axis, size in zip(axes, shape, strict=True)]
            value = evaluate(vector, shape, weights, pool)
            term = ProductTerm(ONE, tensor.tensor, tuple(map(AxisVector.eq, axes)))
            claims.append(Claim(value, (term,)))
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
