"""The prover in plain Python is the real one: what liars change is all that their proofs differ in."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.protocol import proof as proof_file
from tests.attacks.models import check, honest_attempt, inputs, make_key, model, prove_fast
from tests.attacks.reference_prover import ReferenceProver


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("stubborn", [False, True])
@pytest.mark.parametrize("kind", ["key", "flat_key", "public_key"])
def test_an_honest_reference_prover_makes_the_real_bytes(
    request: pytest.FixtureRequest, kind: str, stubborn: bool, samples: int
) -> None:
    key = request.getfixturevalue(kind)
    attempt = honest_attempt(key, inputs(samples), b"context")
    real = prove_fast(key, attempt)
    reference = ReferenceProver(key, attempt, stubborn=stubborn).prove()
    assert proof_file.dump(reference) == proof_file.dump(real)
    statement = check(key, real)
    assert np.array_equal(statement.output_integers["y"], attempt.trace.outputs["y"])
    assert statement.context == b"context"


def test_the_tiny_network_has_every_part_of_a_proof() -> None:
    key = make_key(model())
    proof = prove_fast(key, honest_attempt(key, inputs()))
    assert len(proof.opening.rounds) == 2
    assert len(proof.opening.leaves) == 4
    assert all(len(leaves.nodes) > 0 for leaves in proof.opening.leaves[:2])
    assert len(proof.relations.sums) == 2
    assert len(proof.fractions) > 0
