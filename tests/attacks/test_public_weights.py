"""The profile of public weights: the verifier has the model, and a proof must hold for just those weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import FormatError, InputError, VerificationError
from deepprove_dist.kernels import (
    AxisVector,
    BaseVector,
    ClaimTerms,
    Extension,
    ExtensionVector,
    Pool,
    ProductTerm,
)
from deepprove_dist.model import file as model_file
from deepprove_dist.model.format import digest_bytes
from deepprove_dist.model.public_weights import read_public_weights
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.weights import PublicWeights, evaluate_public_weights
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.prover import Prover
from deepprove_dist.verifier import load_public_weights, verify
from tests.attacks.expected import of_challenges
from tests.attacks.key_content import Content, changed, put_at
from tests.attacks.models import RELU, honest_attempt, inputs, make_key, model, prove_fast
from tests.attacks.plain_pieces import packed
from tests.attacks.reference_prover import ReferenceProver
from tests.records import replace

W1 = 1
"""Index of the first layer's weights."""


@pytest.fixture(scope="module")
def public_proof(public_key: Prover) -> ProofContent:
    return prove_fast(public_key, honest_attempt(public_key, inputs()))


def claimed(key: Prover, vectors: Mapping[int, BaseVector]) -> PublicWeights:
    """Weights that say of themselves that they are those of the key's model."""
    assert key.public_weights is not None
    return replace(key.public_weights, vectors=vectors)


def rejected(key: Prover, proof: ProofContent, weights: PublicWeights | None) -> Check:
    with pytest.raises(VerificationError) as caught:
        verify(key.verifying, proof_file.dump(proof), weights=weights)
    return caught.value.check


def test_false_weights(public_key: Prover, hiding: bool, public_proof: ProofContent) -> None:
    true = public_key.backend.vectors
    verify(public_key.verifying, proof_file.dump(public_proof), weights=public_key.public_weights)
    other = make_key(model(seed=1), weights="public", hiding=hiding).backend.vectors
    # In a hiding proof such a claim has pads too, so that it is opened.
    alone = Check.OPENING_CLAIM if hiding else Check.WEIGHTS_CLAIM
    assert rejected(public_key, public_proof, claimed(public_key, other)) == alone
    for index in true:
        # Matrices are factors of products, and claimed alone; biases are terms beside the witness.
        is_factor = public_key.verifying.system.tensors[index].name.startswith("w")
        values = true[index].to_array().astype("int64")
        values[-1] += 1
        one_off = claimed(public_key, {**true, index: BaseVector.from_array(values)})
        expected = alone if is_factor else Check.OPENING_CLAIM
        assert rejected(public_key, public_proof, one_off) == expected


def test_no_weights_or_weights_of_other_sizes(public_key: Prover, public_proof: ProofContent) -> None:
    true = public_key.backend.vectors
    short, long = (BaseVector.from_bytes(data) for data in (bytes(true[W1])[:-4], bytes(true[W1]) + bytes(4)))
    missing = {index: vector for index, vector in true.items() if index != W1}
    for vectors in ({}, missing, {**true, W1: short}, {**true, W1: long}):
        assert rejected(public_key, public_proof, claimed(public_key, vectors)) == Check.WEIGHTS_SIZE
    with pytest.raises(InputError, match="integer model"):
        rejected(public_key, public_proof, None)


def test_weights_of_another_model(public_key: Prover, hiding: bool, public_proof: ProofContent) -> None:
    """Its own weights, its own proof, and the key of the model that it is not."""
    other = make_key(model(seed=1), weights="public", hiding=hiding)
    known = public_key.public_weights
    assert known is not None
    data = proof_file.dump(public_proof)
    same_digest = replace(other.verifying, model_digest=known.model_digest)
    for key, weights in (
        (public_key.verifying, other.public_weights),
        (public_key.verifying, replace(known, model_digest=bytes(32))),
        (same_digest, known),
    ):
        with pytest.raises(InputError, match="of another model"):
            verify(key, data, weights=weights)


def test_numbers_that_no_model_was_read_for(public_key: Prover, public_proof: ProofContent) -> None:
    with pytest.raises(InputError, match="must come from load_public_weights"):
        verify(
            public_key.verifying,
            proof_file.dump(public_proof),
            weights=public_key.backend.vectors,  # type: ignore[arg-type]
        )


def test_a_key_of_committed_weights_is_compared_too(key: Prover, proof: ProofContent, hiding: bool) -> None:
    """Whoever hands in a model expects that it counts; a key that hides its weights tells no
    model's digest.
    """
    weights = read_public_weights(model_file.dump(key.model))
    data = proof_file.dump(proof)
    if hiding:
        with pytest.raises(InputError, match="of another model"):
            verify(key.verifying, data, weights=weights)
    else:
        assert verify(key.verifying, data, weights=weights).output_integers
    other = read_public_weights(model_file.dump(model(seed=1)))
    with pytest.raises(InputError, match="of another model"):
        verify(key.verifying, data, weights=other)


def test_a_prover_with_other_weights(public_key: Prover, hiding: bool) -> None:
    """It proves with weights of its own, under the key of the true ones."""
    other = make_key(model(seed=1), weights="public", hiding=hiding)
    attempt = honest_attempt(other, inputs())
    lie = replace(attempt, statement=replace(attempt.statement, key_digest=public_key.verifying.digest))
    true = public_key.public_weights
    alone = Check.OPENING_CLAIM if hiding else Check.WEIGHTS_CLAIM
    assert rejected(public_key, prove_fast(other, lie), true) == alone
    stubborn = ReferenceProver(other, lie, stubborn=True).prove()
    assert rejected(public_key, stubborn, true) == alone


def test_claims_about_weights_alone_that_do_not_hold(public_key: Prover) -> None:
    """Nothing of them would be left to open, so they are decided at once."""
    system, true, pool = public_key.verifying.system, public_key.backend.vectors, Pool(1)
    corner = tuple(AxisVector.one_hot(index) for index in (2, 3))
    term = ProductTerm(Extension(5), W1, corner)
    value = 5 * Extension(int(public_key.model.constants["w1"][2, 3]))
    assert evaluate_public_weights(system, [Claim(value, ClaimTerms([term]))], true, pool) == []
    with pytest.raises(VerificationError) as caught:
        evaluate_public_weights(system, [Claim(value + 1, ClaimTerms([term]))], true, pool)
    assert caught.value.check == Check.WEIGHTS_CLAIM
    # With a term of the witness beside it, the claim stays, less the weights' part.
    x = ProductTerm(Extension(1), 0, (AxisVector.ones(), AxisVector.eq(ExtensionVector([3, 4]))))
    claim = Claim(value + 9, ClaimTerms([term, x]))
    (remaining,) = evaluate_public_weights(system.for_batch(1), [claim], true, pool)
    assert (remaining.value, remaining.terms) == (Extension(9), ClaimTerms([x]))


def test_keys_of_both_profiles_do_not_take_each_others_proofs(
    key: Prover, proof: ProofContent, public_key: Prover, public_proof: ProofContent
) -> None:
    true = public_key.public_weights
    assert rejected(public_key, proof, true) == Check.KEY_DIGEST
    assert rejected(key, public_proof, None) == Check.KEY_DIGEST
    statement = replace(proof.statement, key_digest=public_key.verifying.digest, epoch=None)
    assert rejected(public_key, replace(proof, statement=statement), true) in {
        *of_challenges(public_key),
        Check.OPENING_COUNT,
    }


def test_the_model_is_the_one_that_the_key_was_made_for(public_key: Prover, tmp_path: Path) -> None:
    path, other = tmp_path / "own", tmp_path / "other"
    path.write_bytes(model_file.dump(public_key.model))
    other.write_bytes(model_file.dump(model(seed=1)))
    loaded = load_public_weights(public_key.verifying, path)
    assert loaded.model_digest == public_key.verifying.model_digest
    assert loaded.system == public_key.verifying.system
    assert {i: bytes(v) for i, v in loaded.vectors.items()} == {
        i: bytes(v) for i, v in public_key.backend.vectors.items()
    }
    with pytest.raises(FormatError, match="not the integer model that the key was made for"):
        load_public_weights(public_key.verifying, other)


FORGED: dict[str, tuple[str, Callable[[Content], None]]] = {
    "another activation": ("tables", put_at("tables", 2, 2, 1)(packed((RELU.size, 7, 0)))),
    "other bounds of the weights' part": ("relations", put_at("relations", 0, 4)(5000)),
    "a bias subtracted": ("relations", put_at("relations", 0, 1, 1, 3, 0)(1)),
    "another range of the input": ("inputs", put_at("inputs", 0, 4)(8)),
    "another range of the output": ("outputs", put_at("outputs", 0, 4)(10**6)),
    "another unit of the output": ("outputs", put_at("outputs", 0, 5)([[], [0.25]])),
    "another name": ("tensors", put_at("tensors", 1, 0)("weights")),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_key_that_names_the_model_but_is_not_its(public_key: Prover, tmp_path: Path, name: str) -> None:
    """The digest of a model is a word that any key can say."""
    part, change = FORGED[name]
    forged = key_file.load(changed(public_key.verifying, change))
    path = tmp_path / "model.integer"
    path.write_bytes(model_file.dump(public_key.model))
    assert forged.model_digest == public_key.verifying.model_digest
    with pytest.raises(FormatError, match=f"its {part} differ from the model's"):
        load_public_weights(forged, path)


def test_the_digest_of_a_file_that_is_no_model(public_key: Prover, tmp_path: Path) -> None:
    path = tmp_path / "model.integer"
    path.write_bytes(b"no model")
    key = replace(public_key.verifying, model_digest=digest_bytes(b"no model"))
    with pytest.raises(FormatError, match=r"model\.integer: not a deepprove-dist integer model file"):
        load_public_weights(key, path)
