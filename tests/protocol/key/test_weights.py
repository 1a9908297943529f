"""Both ways in which a key stands for weights."""

from __future__ import annotations

import pytest

from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import AxisVector, BaseVector, ClaimTerms, Extension, Pool, ProductTerm
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.key.weights import evaluate_public_weights, out_of_domain_point
from tests.protocol.naive import challenges, eq, inner, integers, items, system_of

SYSTEM = system_of([(3,)], [(2, 5)])
X, W = 0, 1
VALUES = integers(0, (2, 5))
WEIGHTS = {W: BaseVector.from_array(VALUES.reshape(-1))}
POINT = challenges(1, 4)
OF_WEIGHTS = ProductTerm(Extension(3), W, (AxisVector.eq(POINT[:1]), AxisVector.eq(POINT[1:])))
OF_WITNESS = ProductTerm(Extension(4), X, (AxisVector.ones(),))
EVALUATED = Extension(3) * inner(VALUES, [eq(POINT[:1]), eq(POINT[1:])[:5]])
POOL = Pool(1)


def test_the_point_depends_on_schedule_and_root() -> None:
    point = out_of_domain_point(b"schedule", bytes(32))
    assert point == out_of_domain_point(b"schedule", bytes(32))
    assert point != out_of_domain_point(b"schedule", bytes([1] * 32))
    assert point != out_of_domain_point(b"another schedule", bytes(32))


def test_terms_of_weights_move_to_the_value() -> None:
    value, other = items(challenges(2, 2))
    claims = [Claim(value, ClaimTerms([OF_WEIGHTS, OF_WITNESS])), Claim(other, ClaimTerms([OF_WITNESS]))]
    first, second = evaluate_public_weights(SYSTEM, claims, WEIGHTS, POOL)
    assert first == Claim(value - EVALUATED, ClaimTerms([OF_WITNESS]))
    assert second == claims[1]


def test_a_claim_about_weights_alone_is_decided() -> None:
    assert evaluate_public_weights(SYSTEM, [Claim(EVALUATED, ClaimTerms([OF_WEIGHTS]))], WEIGHTS, POOL) == []
    with pytest.raises(VerificationError, match="public weights"):
        evaluate_public_weights(SYSTEM, [Claim(EVALUATED + 1, ClaimTerms([OF_WEIGHTS]))], WEIGHTS, POOL)


@pytest.mark.parametrize("weights", [{}, {W: BaseVector.from_array(VALUES[0])}, {X: WEIGHTS[W]}])
def test_missing_weights_are_refused(weights: dict[int, BaseVector]) -> None:
    with pytest.raises(VerificationError, match="public weights"):
        evaluate_public_weights(SYSTEM, [Claim(EVALUATED, ClaimTerms([OF_WEIGHTS]))], weights, POOL)
