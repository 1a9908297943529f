"""Affine expressions under a product of one weight vector an axis, as terms of a claim.

Let an expression have weights w_a on each of its axes: eq of a point's coordinates, or any values. The
weighted sum of all its values is a sum of inner products with tensors, plus a number. A term that lacks an
axis takes that axis's sum of weights. An index map pulls the weights of what it follows back to the tensor's
axis. A constant counts for the positions that it covers, and so does a term that covers further axes.

The kernels read an expression once. A verifier has hundreds of them, of several terms each, in every proof.
"""

from __future__ import annotations

from deepprove_dist.kernels import ClaimTerms, Extension, SpaceWeights
from deepprove_dist.protocol.system.system import Affine, System


def affine_terms(
    system: System, affine: Affine, weights: SpaceWeights, scale: Extension
) -> tuple[ClaimTerms, Extension]:
    """scale * the weighted expression: terms over tensors, and the part that is known.

    `weights` has one entry for each axis of the expression, of that axis's size.
    """
    return affine.kernel.claim(weights, scale, system.shapes)
