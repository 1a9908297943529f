"""The small sumcheck of products ends in five claims about pads, which hold for honest provers alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import Extension, ExtensionVector, Pool, Transcript
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.claims.sent import Pads, SentValue
from deepprove_dist.protocol.messages.proof import ProductsProof
from deepprove_dist.protocol.parameters import FINALS
from deepprove_dist.protocol.products.check import ProductCheck, ProductRow
from deepprove_dist.protocol.products.prove import prove_products
from deepprove_dist.protocol.products.verify import verify_products
from tests.protocol.naive import challenges, items
from tests.records import replace

POOL = Pool(1)
SIZES = ([1], [2], [3], [1, 1, 1], [2, 1, 1], [4, 1, 1, 1], [1] * 8, [5, 3, 1, 6])
"""Rows of each check: K + 1 is a power of two for some."""


@dataclass(frozen=True)
class Example:
    """Checks of scalars that were sent with pads; `values` are all pads, then the free values of row K."""

    checks: list[ProductCheck]
    values: ExtensionVector
    sent: int

    @property
    def count(self) -> int:
        return len(self.values) - FINALS

    def pads(self, *, prover: bool) -> Pads:
        """As they are when the sumcheck begins."""
        pads = Pads(self.count, self.values if prover else None)
        pads.take(self.sent)
        return pads

    def prove(self) -> ProductsProof:
        pads = self.pads(prover=True)
        proof = prove_products(self.checks, self.values, Transcript(b"test"), pads, POOL)
        assert pads.remaining == 0
        return proof

    def claims(self, proof: ProductsProof) -> list[Claim]:
        pads = self.pads(prover=False)
        claims = verify_products(self.checks, proof, Transcript(b"test"), pads)
        assert pads.remaining == 0
        return claims

    def holds(self, claim: Claim) -> bool:
        """A claim without terms says that its value is its pad part."""
        assert len(claim.terms) == 0
        return SentValue(claim.value, claim.pads).true_value(self.values) == Extension(0)


def example(sizes: Sequence[int], seed: int = 0, error: int = 0) -> Example:
    """Random true factors, each plus a multiple of the one before it; `error` is added to the last total."""
    rows = sum(sizes)
    count = 4 * rows + len(sizes) + 3 * rows.bit_length()
    values, true = challenges(seed, count + FINALS), items(challenges(seed + 1, 4 * rows))
    scales, mix = items(challenges(seed + 2, rows)), Extension(3)
    factors = Pads(count, values).padded(ExtensionVector(true))
    received = Pads(count).received(factors)
    mixed = [true[index] + mix * true[index - 1] * min(index, 1) for index in range(len(true))]
    sent = [
        value + received[index - 1].scaled(mix) if index else value for index, value in enumerate(received)
    ]
    by_check, totals = list[tuple[ProductRow, ...]](), list[Extension]()
    first = 0
    for size in sizes:
        products, total = list[ProductRow](), Extension(0)
        for number in range(first, first + size):
            a, b, other_a, other_b = sent[4 * number : 4 * number + 4]
            x, y, other_x, other_y = mixed[4 * number : 4 * number + 4]
            # Every other row has one product alone.
            second = (other_a, other_b) if number % 2 == 0 else None
            products.append(ProductRow(scales[number], (a, b), second))
            total += scales[number] * (x * y + other_x * other_y * (1 - number % 2))
        by_check.append(tuple(products))
        totals.append(total)
        first += size
    totals[-1] += error
    prover = Pads(count, values)
    prover.take(4 * rows)
    verifier = Pads(count)
    verifier.take(4 * rows)
    sums = verifier.received(prover.padded(ExtensionVector(totals)))
    checks = [
        ProductCheck(Check.FRACTION_LAYER, of_check, total)
        for of_check, total in zip(by_check, sums, strict=True)
    ]
    return Example(checks, values, 4 * rows + len(sizes))


@settings(max_examples=40)
@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=6), seed=st.integers(0, 2**32))
def test_the_claims_of_an_honest_proof_hold(sizes: list[int], seed: int) -> None:
    case = example(sizes, seed)
    proof = case.prove()
    assert len(proof.rounds) == 3 * sum(sizes).bit_length()
    claims = case.claims(proof)
    assert len(claims) == 5
    assert all(map(case.holds, claims))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_a_claim_fails_where_a_product_does(sizes: list[int]) -> None:
    case = example(sizes, error=1)
    claims = case.claims(case.prove())
    assert not all(map(case.holds, claims))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_every_scalar_counts(sizes: list[int]) -> None:
    case = example(sizes)
    proof = case.prove()
    for index in range(len(proof.rounds)):
        rounds = items(proof.rounds)
        rounds[index] += 1
        altered = replace(proof, rounds=ExtensionVector(rounds))
        assert not all(map(case.holds, case.claims(altered)))
    for index in range(FINALS):
        finals = items(proof.finals)
        finals[index] += 1
        held = [case.holds(claim) for claim in case.claims(replace(proof, finals=ExtensionVector(finals)))]
        # The claim about this final, and the one about the product of all.
        assert held == [k != index for k in range(FINALS)] + [False]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_free_values_change_all_finals_and_no_truth(sizes: list[int]) -> None:
    """Row K has weight zero."""
    case = example(sizes)
    free = challenges(9, FINALS)
    other = replace(case, values=case.values[: case.count] + free)
    first, second = case.prove(), other.prove()
    pairs = zip(items(first.finals), items(second.finals), strict=True)
    assert all(a != b for a, b in pairs)
    assert all(map(other.holds, other.claims(second)))


def test_nothing_to_check_sends_nothing() -> None:
    case = Example([], challenges(0, FINALS), 0)
    proof = case.prove()
    assert (len(proof.rounds), len(proof.finals)) == (0, 0)
    assert case.claims(proof) == []
    one = ExtensionVector([1])
    for wrong in (replace(proof, rounds=one), replace(proof, finals=one)):
        with pytest.raises(VerificationError) as caught:
            case.claims(wrong)
        assert caught.value.check is Check.PRODUCTS_FINALS


@pytest.mark.parametrize("change", [-1, 1, -3, 3])
def test_other_counts_are_refused(change: int) -> None:
    case = example([3, 1])
    proof = case.prove()

    def changed(vector: ExtensionVector) -> ExtensionVector:
        return vector[:change] if change < 0 else vector + challenges(1, change)

    with pytest.raises(VerificationError) as caught:
        case.claims(replace(proof, finals=changed(proof.finals)))
    assert caught.value.check is Check.PRODUCTS_FINALS
    with pytest.raises(VerificationError, match="sumcheck"):
        case.claims(replace(proof, rounds=changed(proof.rounds)))
