"""Affine expressions under a product of one weight vector an axis, as terms of a claim.

Let an expression have weights w_a on each of its axes: eq of a point's coordinates, or any values. The
weighted sum of all its values is a sum of inner products with tensors, plus a number. A term that lacks an
axis takes that axis's sum of weights. An index map pulls the weights of what it follows back to the tensor's
axis. A constant counts for the positions that it covers, and so does a term that covers further axes.
"""

from __future__ import annotations

from collections.abc import Sequence

from deepprove_dist.kernels import Extension
from deepprove_dist.protocol.claims.claim import ProductTerm
from deepprove_dist.protocol.relations.axis_weights import AxisWeights, covered, pull_back
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import Affine, System


def affine_terms(
    system: System, affine: Affine, weights: Sequence[AxisWeights], scale: Extension
) -> tuple[list[ProductTerm], Extension]:
    """scale * the weighted expression: terms over tensors, and the part that is known.

    `weights` has one entry for each axis of the expression, of that axis's size.
    """
    terms, whole = [], [axis.vector for axis in weights]
    for term, lacking in zip(affine.terms, affine.lacking, strict=True):
        coefficient = scale if term.coefficient == 1 else scale * term.coefficient
        for axis in lacking:
            coefficient *= weights[axis].total
        if term.without_maps is not None:
            vectors = tuple([whole[axis] for axis in term.without_maps])
        else:
            shape = system.tensors[term.tensor].shape
            if len(term.axes) > len(shape):
                coefficient *= _covered(term.beside(shape), weights)
            # The tensor's axes alone: what stands beside them is in the coefficient.
            vectors = tuple(
                whole[axis] if isinstance(axis, int) else pull_back(weights, axis, size)
                for axis, size in zip(term.axes, shape, strict=False)
            )
        terms.append(ProductTerm(coefficient, term.tensor, vectors))
    known = Extension(0)
    for constant in affine.constants:
        without = _total_without(weights, [axis for cover in constant.within for axis in cover.axes])
        known += scale * constant.value * without * _covered(constant.within, weights)
    return terms, known


def _covered(within: Sequence[IndexMap], weights: Sequence[AxisWeights]) -> Extension:
    """The product of the weights of what each map covers."""
    product = Extension(1)
    for cover in within:
        product *= covered(weights, cover)
    return product


def _total_without(weights: Sequence[AxisWeights], followed: Sequence[int]) -> Extension:
    """The sum of all weights over the axes that are not followed."""
    present, total = set(followed), Extension(1)
    for index, axis in enumerate(weights):
        if index not in present:
            total *= axis.total
    return total
