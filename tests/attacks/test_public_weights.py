"""The profile of public weights: the verifier has the model, and a proof must hold for just those weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deepprove_dist.errors import FormatError, InputError, VerificationError
from deepprove_dist.kernels import AxisVector, BaseVector, Extension, ExtensionVector, Pool
from deepprove_dist.model import file as model_file
from deepprove_dist.protocol import proof as proof_file
from deepprove_dist.protocol.claims import Claim, ProductTerm
from deepprove_dist.protocol.proof import Proof
from deepprove_dist.protocol.weights import evaluate_public_weights
from deepprove_dist.prover import ProvingKey
from deepprove_dist.verifier import load_public_weights, verify
from tests.attacks.models import honest_attempt, inputs, make_key, model, prove_fast
from tests.attacks.reference_prover import ReferenceProver

W1 = 1
"""Index of the first layer's weights."""


@pytest.fixture(scope="module")
def public_proof(public_key: ProvingKey) -> Proof:
    return prove_fast(public_key, honest_attempt(public_key, inputs()))


def rejected(key: ProvingKey, proof: Proof, weights: dict[int, BaseVector] | None) -> str:
    with pytest.raises(VerificationError) as caught:
        verify(key.verifying, proof_file.dump(proof), weights=weights)
    return caught.value.check


def test_false_weights(public_key: ProvingKey, public_proof: Proof) -> None:
    true = public_key.weight_vectors
    verify(public_key.verifying, proof_file.dump(public_proof), weights=true)
    other = make_key(model(seed=1), weights="public").weight_vectors
    assert rejected(public_key, public_proof, other) == "public weights"
    for index in true:
        # Matrices are factors of products, and claimed alone; biases are terms beside the witness.
        is_factor = public_key.verifying.system.tensors[index].name.startswith("w")
        values = true[index].to_array().astype("int64")
        values[-1] += 1
        one_off = {**true, index: BaseVector.from_array(values)}
        expected = "public weights" if is_factor else "opening"
        assert rejected(public_key, public_proof, one_off) == expected


def test_no_weights_or_weights_of_other_sizes(public_key: ProvingKey, public_proof: Proof) -> None:
    true = public_key.weight_vectors
    short, long = (BaseVector.from_bytes(data) for data in (bytes(true[W1])[:-4], bytes(true[W1]) + bytes(4)))
    missing = {index: vector for index, vector in true.items() if index != W1}
    for weights in ({}, missing, {**true, W1: short}, {**true, W1: long}):
        assert rejected(public_key, public_proof, weights) == "public weights"
    with pytest.raises(InputError, match="integer model"):
        rejected(public_key, public_proof, None)


def test_a_prover_with_other_weights(public_key: ProvingKey) -> None:
    """It proves with weights of its own, under the key of the true ones."""
    other = make_key(model(seed=1), weights="public")
    attempt = honest_attempt(other, inputs())
    lie = replace(attempt, statement=replace(attempt.statement, key_digest=public_key.verifying.digest))
    true = public_key.weight_vectors
    assert rejected(public_key, prove_fast(other, lie), true) == "public weights"
    assert rejected(public_key, ReferenceProver(other, lie, stubborn=True).prove(), true) == "public weights"


def test_claims_about_weights_alone_that_do_not_hold(public_key: ProvingKey) -> None:
    """Nothing of them would be left to open, so they are decided at once."""
    system, true, pool = public_key.verifying.system, public_key.weight_vectors, Pool(1)
    corner = tuple(AxisVector.one_hot(place) for place in (2, 3))
    term = ProductTerm(Extension(5), W1, corner)
    value = 5 * Extension(int(public_key.model.constants["w1"][2, 3]))
    assert evaluate_public_weights(system, [Claim(value, (term,))], true, pool) == []
    with pytest.raises(VerificationError) as caught:
        evaluate_public_weights(system, [Claim(value + 1, (term,))], true, pool)
    assert caught.value.check == "public weights"
    # With a term of the witness beside it, the claim stays, less the weights' part.
    x = ProductTerm(Extension(1), 0, (AxisVector.ones(), AxisVector.eq(ExtensionVector([3, 4]))))
    (rest,) = evaluate_public_weights(system.for_batch(1), [Claim(value + 9, (term, x))], true, pool)
    assert (rest.value, rest.terms) == (Extension(9), (x,))


def test_keys_of_both_profiles_do_not_take_each_others_proofs(
    key: ProvingKey, proof: Proof, public_key: ProvingKey, public_proof: Proof
) -> None:
    true = public_key.weight_vectors
    assert rejected(public_key, proof, true) == "key digest"
    assert rejected(key, public_proof, true) == "key digest"
    said = replace(proof.statement, key_digest=public_key.verifying.digest)
    assert rejected(public_key, replace(proof, statement=said), true) == "sumcheck"


def test_the_model_is_the_one_that_the_key_was_made_for(public_key: ProvingKey, tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    own.write_bytes(model_file.dump(public_key.model))
    other.write_bytes(model_file.dump(model(seed=1)))
    loaded = load_public_weights(public_key.verifying, own)
    assert {i: bytes(v) for i, v in loaded.items()} == {
        i: bytes(v) for i, v in public_key.weight_vectors.items()
    }
    with pytest.raises(FormatError, match="not the integer model that the key was made for"):
        load_public_weights(public_key.verifying, other)
