"""The statement's inputs and outputs are committed like any tensor; one claim each binds them.

At a random point u, drawn after the witness is committed, the committed tensor's multilinear extension must
be that of the public integers, which the verifier computes itself: sum_i eq(u, i) x[i] = x~(u). Two different
tensors agree there with probability at most (coordinates of u) / |EF|.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from deepprove_dist.kernels import (
    AxisVector,
    BaseVector,
    Extension,
    ExtensionVector,
    Pool,
    Transcript,
    bind_axis,
)
from deepprove_dist.protocol.claims import ONE, ClaimList, ProductTerm, split_point
from deepprove_dist.protocol.relations.system import Shape, System, space_bits

Values = Mapping[str, npt.NDArray[np.int64]]
"""Integers [samples, *shape] by name."""


def bind_public(
    system: System,
    inputs: Values,
    outputs: Values,
    transcript: Transcript,
    claims: ClaimList,
    pool: Pool,
) -> None:
    """Adds the claims of all public tensors; prover and verifier run the same."""
    directions = (("input", system.inputs, inputs), ("output", system.outputs, outputs))
    for direction, tensors, values in directions:
        for public in tensors:
            shape = system.tensors[public.tensor].shape
            point = transcript.challenges(f"public/{direction}", space_bits(shape))
            axes = split_point(point, shape)
            vector = BaseVector.from_array(values[public.name].reshape(-1))
            weights = [ExtensionVector.eq(axis)[:size] for axis, size in zip(axes, shape, strict=True)]
            value = evaluate(vector, shape, weights, pool)
            claims.add(value, ProductTerm(ONE, public.tensor, tuple(map(AxisVector.eq, axes))))


def evaluate(tensor: BaseVector, shape: Shape, weights: Sequence[ExtensionVector], pool: Pool) -> Extension:
    """The inner product of a tensor with one dense vector for each of its axes."""
    values = bind_axis(tensor, (len(tensor), 1, 1), ExtensionVector([1]), pool) if not shape else tensor
    outer = prod(shape)
    for size, vector in zip(reversed(shape), reversed(weights), strict=True):
        outer //= size
        values = bind_axis(values, (outer, size, 1), vector, pool)
    assert isinstance(values, ExtensionVector)
    return values[0]
