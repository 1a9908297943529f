"""Provers that lie in the middle of the protocol about a true statement or to hide a false one.

Each lie is told twice where that makes sense: by a prover that goes on as before, and by a stubborn one.
The stubborn one adapts everything after the lie so that the verifier's next checks pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from unittest.mock import patch

import numpy as np
import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import BaseVector, CodeShape, Commitment, Extension, ExtensionVector
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.prover import Prover
from tests.attacks.arithmetic import Values
from tests.attacks.channel import Vector
from tests.attacks.expected import of_prover
from tests.attacks.models import check, honest_attempt, inputs, make_key, model, prove_fast
from tests.attacks.reference_prover import Attempt, ReferenceProver


def rejected(key: Prover, prover: ReferenceProver, honest: ProofContent) -> Check:
    """The check that rejects the proof, which must differ from the honest one."""
    proof = prover.prove()
    assert proof_file.dump(proof) != proof_file.dump(honest)
    with pytest.raises(VerificationError) as caught:
        check(key, proof)
    return caught.value.check


class Teller(ReferenceProver):
    """Adds one to an element of the n-th message of a label."""

    def __init__(
        self, key: Prover, attempt: Attempt, label: str, number: int, element: int, *, stubborn: bool
    ) -> None:
        super().__init__(key, attempt, stubborn=stubborn)
        self.label, self.number, self.element = label, number, element

    def alter(self, label: str, values: Values) -> Values:
        if label != self.label:
            return values
        self.number -= 1
        return [v + int(self.number == -1 and i == self.element) for i, v in enumerate(values)]


# Of 3 rounds on 2 + 3 variables, 8 layers, column rounds, 2 folded codes, 4 values in clear.
LIES = [
    ("witness/answer", 0, 0, Check.OPENING_CLAIM, Check.OPENING_FINAL),
    ("contraction/sums", 0, 0, Check.SUMCHECK_CLAIM, Check.OPENING_FINAL),
    ("contraction/sums", 0, 1, Check.SUMCHECK_CLAIM, Check.OPENING_FINAL),
    ("sumcheck/round", 0, 0, Check.SUMCHECK_CLAIM, Check.OPENING_FINAL),
    ("sumcheck/round", 2, 1, Check.SUMCHECK_CLAIM, Check.OPENING_FINAL),
    ("sumcheck/finals", 0, 0, Check.SUMCHECK_CLAIM, Check.SUMCHECK_CLAIM),
    ("sumcheck/finals", 0, 3, Check.SUMCHECK_CLAIM, Check.SUMCHECK_CLAIM),
    ("fraction/round", 0, 0, Check.FRACTION_LAYER, Check.OPENING_FINAL),
    ("fraction/round", 9, 1, Check.FRACTION_LAYER, Check.OPENING_FINAL),
    ("fraction/children", 0, 0, Check.FRACTION_SUM, Check.FRACTION_SUM),
    ("fraction/children", 4, 2, Check.FRACTION_LAYER, Check.FRACTION_LAYER),
    ("opening/answer", 0, 0, Check.OPENING_CLAIM, Check.OPENING_FINAL),
    ("opening/answer", 1, 0, Check.OPENING_CLAIM, Check.OPENING_FINAL),
    ("opening/final", 0, 2, Check.OPENING_FINAL, Check.OPENING_FINAL),
]


@pytest.mark.parametrize(("label", "number", "element", "plain", "stubborn"), LIES)
def test_a_lie_in_what_is_sent(
    key: Prover,
    attempt: Attempt,
    proof: ProofContent,
    label: str,
    number: int,
    element: int,
    plain: Check,
    stubborn: Check,
) -> None:
    checks = (plain, of_prover(key, plain)), (stubborn, Check.OPENING_FINAL if key.secret else stubborn)
    for is_stubborn, (_, refusal) in enumerate(checks):
        teller = Teller(key, attempt, label, number, element, stubborn=bool(is_stubborn))
        assert rejected(key, teller, proof) == refusal


class OtherVector(ReferenceProver):
    """Commits another vector than it computes with, and opens the tree of one or the other."""

    def __init__(
        self, key: Prover, attempt: Attempt, label: str, *, opens_true: bool, stubborn: bool
    ) -> None:
        super().__init__(key, attempt, stubborn=stubborn)
        self.label, self.opens_true, self.root = label, opens_true, b""

    def commit(self, label: str, values: Vector, shape: CodeShape) -> Commitment:
        true = self.tree(values, shape)
        if label != self.label:
            return true
        other = self.tree(moved(values), shape)
        self.root = other.root
        return true if self.opens_true else other

    def show(self, label: str, tree: Commitment) -> bytes:
        return self.root if label == self.label else tree.root


def moved(values: Vector) -> Vector:
    """One value more by one."""
    if isinstance(values, BaseVector):
        return BaseVector.from_array(values.to_array().astype(np.int64) + (np.arange(len(values)) == 3))
    return values.plus(ExtensionVector([int(index == 3) for index in range(len(values))]))


@pytest.mark.parametrize("stubborn", [False, True])
@pytest.mark.parametrize("label", ["witness/root", "opening/root"])
def test_another_vector_is_committed_than_computed_with(
    key: Prover, attempt: Attempt, proof: ProofContent, label: str, stubborn: bool
) -> None:
    swap = OtherVector(key, attempt, label, opens_true=False, stubborn=stubborn)
    of_queries = stubborn or label == "opening/root"
    assert rejected(key, swap, proof) == (Check.OPENING_FINAL if of_queries else Check.OPENING_CLAIM)


@pytest.mark.parametrize("label", ["witness/root", "opening/root"])
def test_queries_are_answered_from_another_codeword(
    key: Prover, attempt: Attempt, proof: ProofContent, label: str
) -> None:
    swap = OtherVector(key, attempt, label, opens_true=True, stubborn=False)
    assert rejected(key, swap, proof) == Check.MERKLE_ROOT


def test_a_folded_vector_with_an_error_that_a_stubborn_prover_spreads_is_caught_by_queries(
    flat_key: Prover,
) -> None:
    """With f' in clear nothing but the queries compares it with the commitment."""
    attempt = honest_attempt(flat_key, inputs())
    honest = prove_fast(flat_key, attempt)
    prover = OtherVector(flat_key, attempt, "witness/root", opens_true=False, stubborn=True)
    proof = prover.prove()
    assert proof.witness.root != honest.witness.root
    with pytest.raises(VerificationError) as caught:
        check(flat_key, proof)
    assert caught.value.check == Check.OPENING_FINAL


class Dropper(ReferenceProver):
    """Leaves one claim out, or lets two of them trade places."""

    def __init__(self, key: Prover, attempt: Attempt, change: Callable[[list[Claim]], list[Claim]]) -> None:
        super().__init__(key, attempt)
        self.change = change

    def collect(self, claims: list[Claim]) -> list[Claim]:
        return self.change(claims)


CLAIMS = {"": 12, "image_": 15}
"""Two public tensors, two or three relations, two factors for each, numerator and denominator, two
out-of-domain samples."""
OF_HIDING = 6
"""The mask claim, four finals and the last claim of the small sumcheck."""


def without(number: int, count: int, claims: list[Claim]) -> list[Claim]:
    assert len(claims) == count
    return [*claims[:number], *claims[number + 1 :]]


@pytest.mark.parametrize("kind", CLAIMS)
def test_a_sub_claim_dropped(request: pytest.FixtureRequest, hiding: bool, kind: str) -> None:
    key, attempt, proof = (request.getfixturevalue(kind + name) for name in ("key", "attempt", "proof"))
    count = CLAIMS[kind] + (OF_HIDING if hiding else 0)
    for number in range(count):
        dropper = Dropper(key, attempt, partial(without, number, count))
        assert rejected(key, dropper, proof) == Check.OPENING_CLAIM


def test_claims_reordered(key: Prover, attempt: Attempt, proof: ProofContent) -> None:
    assert rejected(key, Dropper(key, attempt, lambda claims: claims[::-1]), proof) == Check.OPENING_CLAIM


def test_out_of_domain_point_from_a_key(hiding: bool) -> None:
    """A key whose maker chose the point of the weights' sample itself: the verifier derives its own."""
    chosen = Extension(12345)
    here, there = (
        f"deepprove_dist.protocol.argument.{module}.out_of_domain_point"
        for module in ("local_backend", "shared")
    )
    with patch(here, lambda security, root: chosen):
        forged = make_key(model(), hiding=hiding)
    honest = make_key(model(), hiding=hiding)
    assert forged.verifying.weights is not None
    assert honest.verifying.weights is not None
    assert forged.verifying.weights.root == honest.verifying.weights.root
    assert forged.verifying.weights.answer != honest.verifying.weights.answer
    proof = prove_fast(forged, honest_attempt(forged, inputs()))
    with pytest.raises(VerificationError) as caught:
        check(forged, proof)
    assert caught.value.check == Check.OPENING_CLAIM
    # A verifier that took the maker's point would have believed it.
    with patch(there, lambda security, root: chosen):
        check(forged, proof)
