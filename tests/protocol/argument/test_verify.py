"""The argument checks by itself what its callers check before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import Extension, ExtensionVector
from deepprove_dist.protocol.argument import verify as argument
from deepprove_dist.protocol.hidden.statement import decode_statement
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import MaskProof, ProofContent
from tests.protocol.example import MAX_BATCH, proof, proving_key
from tests.records import replace


def verify(key: KeyContent, content: ProofContent) -> None:
    """The argument alone, for the public values of the key's example."""
    hiding = key.schedule.initial.hiding
    statement = proof_file.load(proof(hiding=hiding)).statement
    public = decode_statement(key.instance(1).system, key.schedule.initial, statement).values
    argument.verify(key, content, public, {}, key.weights)


@pytest.mark.parametrize("batch", [0, MAX_BATCH + 1])
def test_other_numbers_of_samples_than_the_key_allows(batch: int) -> None:
    key, content = proving_key().verifying, proof_file.load(proof())
    verify(key, content)
    altered = replace(content, statement=replace(content.statement, batch=batch))
    with pytest.raises(VerificationError) as caught:
        verify(key, altered)
    assert caught.value.check == Check.BATCH


@pytest.mark.parametrize("hiding", [False, True])
def test_proofs_of_the_other_mode_are_refused(hiding: bool) -> None:
    key = proving_key(hiding=hiding).verifying
    verify(key, proof_file.load(proof(hiding=hiding)))
    with pytest.raises(VerificationError) as caught:
        verify(key, proof_file.load(proof(hiding=not hiding)))
    assert caught.value.check == Check.HIDING


@pytest.mark.parametrize("part", ["rounds", "finals"])
def test_a_transparent_proof_has_no_sumcheck_of_products(part: str) -> None:
    key, content = proving_key().verifying, proof_file.load(proof())
    products = replace(content.products, **{part: ExtensionVector([0])})
    with pytest.raises(VerificationError) as caught:
        verify(key, replace(content, products=products))
    assert caught.value.check == Check.HIDING


ALTERED_MASK: dict[str, Callable[[MaskProof], MaskProof]] = {
    "value": lambda mask: replace(mask, value=mask.value + 1),
    "product": lambda mask: replace(mask, product=mask.product + 1),
    "tail": lambda mask: replace(mask, tail=mask.tail.scaled(Extension(2))),
}


@pytest.mark.parametrize("name", ALTERED_MASK)
def test_every_part_of_the_mask_counts(name: str) -> None:
    key, content = proving_key(hiding=True).verifying, proof_file.load(proof(hiding=True))
    assert content.mask is not None
    with pytest.raises(VerificationError):
        verify(key, replace(content, mask=ALTERED_MASK[name](content.mask)))
