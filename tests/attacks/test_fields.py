"""Every field of a proof, altered by the least, is rejected, and by a check with a name."""

from __future__ import annotations

from collections import Counter

import pytest

from deepprove_dist.errors import VerificationError
from deepprove_dist.protocol.proof import Proof
from deepprove_dist.prover import ProvingKey
from tests.attacks.fields import changes, name
from tests.attacks.models import check, honest_attempt, inputs, prove_fast

EXPECTED = {
    "statement.key_digest": {"key digest"},
    "statement.batch": {"batch", "statement"},
    "statement.inputs": {"sumcheck", "statement"},
    "statement.outputs": {"sumcheck", "statement"},
    "statement.context": {"sumcheck"},
    "witness_root": {"sumcheck"},
    "witness_answer": {"sumcheck"},
    "relations.sums": {"sumcheck"},
    "relations.rounds": {"sumcheck"},
    "relations.finals": {"sumcheck"},
    "fractions": {"fraction tree"},
    "opening.columns": {"Merkle opening"},
    "opening.rounds.root": {"Merkle opening"},
    "opening.rounds.answer": {"Merkle opening"},
    "opening.rounds.rounds": {"Merkle opening"},
    "opening.final": {"Merkle opening"},
    "opening.final_rounds": {"opening"},
    "opening.leaves.rows": {"Merkle opening"},
    "opening.leaves.nodes": {"Merkle opening"},
}

SAMPLED = ("opening.leaves.rows", "opening.leaves.nodes")
"""Many and alike: every tenth is altered in the default run."""


def reject_all(key: ProvingKey, proof: Proof, step: int) -> Counter[str]:
    """Alters everything, every `step`-th of what is sampled; returns how often each field was."""
    check(key, proof)
    seen: Counter[str] = Counter()
    for path, altered in changes(proof):
        field = name(path)
        seen[field] += 1
        if field in SAMPLED and seen[field] % step:
            continue
        with pytest.raises(VerificationError) as caught:
            check(key, altered())
        assert caught.value.check in EXPECTED[field], (path, str(caught.value))
    return seen


def test_every_altered_field_is_rejected(key: ProvingKey, proof: Proof) -> None:
    assert reject_all(key, proof, 10).keys() == EXPECTED.keys()


def test_every_altered_field_of_a_convolutional_network_is_rejected(
    image_key: ProvingKey, image_proof: Proof
) -> None:
    assert reject_all(image_key, image_proof, 20).keys() == EXPECTED.keys()


def test_every_altered_field_of_a_batch_is_rejected(public_key: ProvingKey) -> None:
    proof = prove_fast(public_key, honest_attempt(public_key, inputs(3), b"nonce"))
    assert reject_all(public_key, proof, 20).keys() == EXPECTED.keys()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["key", "flat_key", "public_key"])
def test_every_row_and_node_altered_is_rejected(request: pytest.FixtureRequest, kind: str) -> None:
    key = request.getfixturevalue(kind)
    reject_all(key, prove_fast(key, honest_attempt(key, inputs(2), b"nonce")), 1)
