"""Whole proofs against a transcript and hashes that share no code with prover and verifier.

What both sides change alike is seen here: the two would still agree with each other.
"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import msgpack
import pytest

from deepprove_dist.kernels import Transcript, verify_rounds
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.weights import out_of_domain_point
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.opening.codes import draw_positions
from deepprove_dist.prover import Prover
from tests.attacks.models import check, honest_attempt, images, inputs, prove_fast
from tests.attacks.reference_prover import ReferenceProver
from tests.attacks.replay import Replay, weights_point

KINDS = [("key", 1), ("key", 3), ("flat_key", 1), ("public_key", 2), ("image_key", 1)]
VERIFIER = "deepprove_dist.protocol.opening.verify"
STATEMENT = {"parameters", "key", "epoch", "batch", "input", "output", "context"}


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: f"{kind[0]} of {kind[1]}")
def case(request: pytest.FixtureRequest, hiding: bool) -> tuple[Prover, ReferenceProver, bytes, Replay]:
    """A key, the reference prover after its run, the real prover's file, and its transcript run again."""
    name, samples = request.param
    key: Prover = request.getfixturevalue(name)
    values = images(samples) if name == "image_key" else inputs(samples)
    attempt = honest_attempt(key, values, b"some context")
    data = proof_file.dump(prove_fast(key, attempt))
    reference = ReferenceProver(key, attempt)
    assert proof_file.dump(reference.prove()) == data
    return key, reference, data, Replay.of(key_file.dump(key.verifying), data)


Case = tuple[Prover, ReferenceProver, bytes, Replay]


def test_every_challenge_is_the_one_that_the_bytes_give(case: Case) -> None:
    """Label by label, draw by draw; what stands between two draws is in the second."""
    _, reference, _, replay = case
    drawn = [event for event in replay.transcript.events if event[0] not in STATEMENT]
    assert reference.recorder.events == drawn


def test_the_verifier_ends_in_the_same_state_and_asks_at_the_same_positions(case: Case) -> None:
    key, _, data, replay = case
    asked, digests = list[list[int]](), list[bytes]()

    def draw(code: Any, transcript: Transcript) -> list[int]:
        asked.append(draw_positions(code, transcript))
        return asked[-1]

    def run(count: int, sent: Any, claim: Any, transcript: Transcript) -> Any:
        result = verify_rounds(count, sent, claim, transcript)
        digests.append(transcript.digest())
        return result

    with patch(f"{VERIFIER}.draw_positions", draw), patch(f"{VERIFIER}.verify_rounds", run):
        check(key, proof_file.load(data))
    assert asked == replay.positions
    assert digests[-1] == replay.transcript.digest()


def test_the_opened_leaves_hash_to_the_roots(case: Case) -> None:
    _, _, _, replay = case
    assert replay.check_openings() > 10


def test_all_that_is_sent_but_leaves_and_nodes_is_absorbed(case: Case) -> None:
    """Counted in bytes, with parameters and number of samples beside."""
    key, _, _, replay = case
    proof = replay.proof
    _, epoch, _, inputs, outputs, context = proof["statement"]
    columns, rounds, final, final_rounds, _ = proof["opening"]
    sent = [*proof["witness"], *proof["relations"], proof["fractions"], columns, final, final_rounds]
    sent += [*proof["products"], *(proof["mask"] or [])]
    sent += [*(part for item in rounds for part in item), *inputs, *outputs, context, key.verifying.digest]
    beside = len(key.verifying.security) + 8 + (0 if epoch is None else 60)
    assert replay.transcript.absorbed_bytes == sum(map(len, sent)) + beside


def test_the_point_of_the_weights_sample(key: Prover) -> None:
    """It follows from the key's root and schedule, and no choice is left."""
    verifying = key.verifying
    assert verifying.weights is not None
    again = weights_point(msgpack.unpackb(key_file.dump(verifying)))
    assert bytes(out_of_domain_point(verifying.security, verifying.weights.root)) == again
