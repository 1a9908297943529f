"""The verifier's side of the lookup argument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import Extension, ExtensionVector, Transcript, fraction_verify
from deepprove_dist.protocol.claims.claim import ONE, Claim
from deepprove_dist.protocol.claims.sent import Pads, SentValue, SentVector
from deepprove_dist.protocol.lookup.tree import Challenges, LeafLayout, LeafValues, claim_leaves
from deepprove_dist.protocol.messages.rejection import checking
from deepprove_dist.protocol.products.check import ProductCheck, ProductRow
from deepprove_dist.protocol.system.system import System
from deepprove_dist.timing import timed

CHILDREN = 4
"""p0, p1, q0, q1: numerators and denominators of both children."""


@dataclass(frozen=True)
class LookupClaims:
    """What all lookups end in: the two claims about leaves, and a check of products for each layer."""

    claims: list[Claim]
    check_layers: Callable[[], list[ProductCheck]]

    @cached_property
    def products(self) -> list[ProductCheck]:
        """Made where they are asked for: the prover of a transparent proof needs none."""
        return self.check_layers()


@timed("lookups", "verifying")
def verify_lookups(
    system: System, leaves: LeafLayout, values: ExtensionVector, transcript: Transcript, pads: Pads
) -> LookupClaims:
    """Runs the fraction tree; the two claims about its leaves, none where there is no lookup.

    The argument is logup-GKR (eprint 2023/1284); `prove_lookups` is the other side.

    `values` is all that the tree's prover sent. Raises VerificationError for values where there is no lookup,
    or another number of them than the tree's levels need.
    """
    if not leaves.rows:
        if len(values) != 0:
            message = "the model has no lookups, the proof a fraction tree"
            raise VerificationError(Check.FRACTION_ABSENT, message, expected=0, actual=len(values))
        return LookupClaims([], list)
    challenges = Challenges.draw(transcript)
    with checking():
        point, _, _, batching, claims, slopes = fraction_verify(leaves.levels, values, transcript)
    sent = pads.received(values)
    children = sent.part(len(sent) - CHILDREN, len(sent))
    low, high = ONE - point[0], point[0]
    numerator = children.dot(ExtensionVector([low, high, ONE - ONE, ONE - ONE]))
    denominator = children.dot(ExtensionVector([ONE - ONE, ONE - ONE, low, high]))
    reached = LeafValues(point, numerator, denominator)
    check_layers = partial(_check_layers, leaves.levels, sent, batching, claims, slopes)
    return LookupClaims(claim_leaves(system, leaves, challenges, reached), check_layers)


def require_denominator(values: ExtensionVector) -> None:
    """No fraction's denominator is zero, if the root's is not; `values` as for `verify_lookups`."""
    if len(values) > 0 and values[2] * values[3] == Extension(0):
        raise VerificationError(Check.FRACTION_DENOMINATOR, "a denominator is zero")


def _check_layers(
    levels: int,
    sent: SentVector,
    batching: ExtensionVector,
    claims: ExtensionVector,
    slopes: ExtensionVector,
) -> list[ProductCheck]:
    """The checks of all layers from the root on; the vectors are those of `fraction_verify`."""
    children, end, used = sent.part(0, CHILDREN), CHILDREN, 0
    products = [_check_root(children)]
    for level in range(1, levels):
        rounds, end = sent.part(end, end + 2 * level), end + 2 * level
        known = children.pad_part(slopes[used : used + CHILDREN])
        used += CHILDREN
        known += rounds.pad_part(slopes[used : used + 2 * level])
        used += 2 * level
        children, end = sent.part(end, end + CHILDREN), end + CHILDREN
        last = SentValue(claims[level - 1], known)
        products.append(_check_layer(level, batching[level - 1], children, last))
    return products


def _check_root(children: SentVector) -> ProductCheck:
    """p0 q1 + p1 q0 = 0: all fractions add up to zero."""
    p0, p1, q0, q1 = children
    return ProductCheck(Check.FRACTION_SUM, (ProductRow(ONE, (p0, q1), (p1, q0)),), SentValue(Extension(0)))


def _check_layer(level: int, batching: Extension, children: SentVector, last: SentValue) -> ProductCheck:
    """(p0 + lambda q0) q1 + p1 q0 is the layer's last claim."""
    p0, p1, q0, q1 = children
    row = ProductRow(ONE, (p0 + q0.scaled(batching), q1), (p1, q0))
    return ProductCheck(Check.FRACTION_LAYER, (row,), last, round=level)
