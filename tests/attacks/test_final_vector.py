"""The final vector is compared with the last code at every query: right at all but one, it is refused.

No prover can make such a vector, since the positions are drawn when it stands. Nothing but the comparison
is to be tested. So the verifier is asked at the positions of an honest proof, whose leaves are opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import pytest

from deepprove_dist.errors import VerificationError
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import Extension, ExtensionVector, Transcript
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.protocol.opening.codes import draw_positions
from deepprove_dist.protocol.parameters import Code, InitialCode
from deepprove_dist.prover import Prover
from tests.attacks.arithmetic import root_of_unity
from tests.attacks.models import check, honest_attempt, inputs, make_key, model, prove_fast
from tests.records import replace

COMPARISON = "the final vector is not what the last code folds to"

LOW_RATE = 10
"""A last code of rate 2^-10 has fewer queries than the final vector has values."""

KEYS = {
    "the committed matrices": {"folds": False, "log_inverse_rate": LOW_RATE},
    "a folded vector": {"log_rows": 7, "rounds": (Code(6, 1, LOW_RATE, 1),)},
}


@dataclass(frozen=True)
class Case:
    """An honest proof, the positions that each code was asked at, and the last code's distinct points."""

    key: Prover
    proof: ProofContent
    drawn: tuple[list[int], ...]
    points: tuple[int, ...]

    def with_error_vanishing_at(self, points: tuple[int, ...]) -> ProofContent:
        """The final vector plus the coefficients of the product of X - x over these points."""
        polynomial = [1]
        for x in points:
            shifted, scaled = [0, *polynomial], [*(-x * c for c in polynomial), 0]
            polynomial = [(a + b) % MODULUS for a, b in zip(shifted, scaled, strict=True)]
        final = self.proof.opening.final
        assert len(polynomial) <= len(final)
        error = ExtensionVector(polynomial + [0] * (len(final) - len(polynomial)))
        return replace(self.proof, opening=replace(self.proof.opening, final=final.plus(error)))

    def refusal(self, proof: ProofContent) -> str:
        """Why the proof is refused by a verifier that asks at the honest proof's positions."""
        with positions(self.drawn), pytest.raises(VerificationError) as caught:
            check(self.key, proof)
        return str(caught.value)


@contextmanager
def positions(given: tuple[list[int], ...] = ()) -> Iterator[list[list[int]]]:
    """Yields the positions that a verifier draws; where some are given it is handed those instead."""
    drawn, instead = list[list[int]](), iter(given)

    def draw(code: InitialCode | Code, transcript: Transcript) -> list[int]:
        drawn.append(draw_positions(code, transcript))
        return next(instead) if given else drawn[-1]

    with patch("deepprove_dist.protocol.opening.verify.draw_positions", draw):
        yield drawn


@pytest.fixture(scope="module", params=KEYS)
def case(request: pytest.FixtureRequest, hiding: bool) -> Case:
    key = make_key(model(), hiding=hiding, **KEYS[request.param])  # type: ignore[arg-type]
    proof = prove_fast(key, honest_attempt(key, inputs()))
    with positions() as drawn:
        check(key, proof)
    generator = root_of_unity(key.verifying.schedule.codes[-1].log_length)
    points = dict.fromkeys(pow(generator, position, MODULUS) for position in drawn[-1])
    return Case(key, proof, tuple(drawn), tuple(points))


def test_the_error_is_seen_by_the_comparison_alone(case: Case) -> None:
    """One that vanishes at all points passes it, and is left to the check of the claims."""
    assert len(case.points) > 10
    assert "the claims do not hold" in case.refusal(case.with_error_vanishing_at(case.points))
    for point in case.points:
        power = ExtensionVector.powers(Extension(point), len(case.proof.opening.final))
        wrong = case.with_error_vanishing_at(case.points).opening.final
        assert wrong.dot(power) == case.proof.opening.final.dot(power)


def test_a_vector_that_is_wrong_at_one_query(case: Case) -> None:
    for index in range(len(case.points)):
        others = case.points[:index] + case.points[index + 1 :]
        assert COMPARISON in case.refusal(case.with_error_vanishing_at(others)), index
