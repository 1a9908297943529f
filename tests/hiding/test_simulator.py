"""Proofs that are made without a witness verify, where the oracle is programmed as the simulator planned."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from deepprove_dist.canonical import replace
from deepprove_dist.errors import VerificationError
from deepprove_dist.protocol.argument.verify import verify
from deepprove_dist.protocol.certificate import verify as certificate
from tests.hiding.chosen import chosen
from tests.hiding.programmed import programmed
from tests.hiding.simulated_certificate import simulate_certificate
from tests.hiding.simulator import SimulatedKey, simulate
from tests.hiding.toy import Sizes, Toy, toy_key

SIZES = {
    "plain": Sizes(),
    "folded": Sizes(folded=True),
    "grouped witness": Sizes(log_inverse_rate=2, witness_group=2),
    "grouped weights": Sizes(log_inverse_rate=2, weight_group=2),
    "both grouped, folded": Sizes(log_inverse_rate=2, weight_group=1, witness_group=2, folded=True),
    "many queries": Sizes(log_inverse_rate=3, queries=20, folded=True),
}


@pytest.mark.parametrize("name", SIZES)
def test_simulated_proofs_verify(name: str) -> None:
    toy, rng = Toy(toy_key(SIZES[name])), np.random.default_rng(1)
    key = SimulatedKey.of(toy.key.verifying, rng)
    for number in range(5):
        context = number.to_bytes(1, "little")
        statement = replace(key.statement(toy.statement), context=context)
        simulated = simulate(key, statement, toy.public, rng)
        with programmed(simulated.planned):
            verify(key.content, simulated.proof, toy.public, {}, key.content.weights)
        with pytest.raises(VerificationError):
            verify(key.content, simulated.proof, toy.public, {}, key.content.weights)


@pytest.mark.parametrize("name", SIZES)
def test_simulated_certificates_verify(name: str) -> None:
    key, rng = toy_key(SIZES[name]).verifying, np.random.default_rng(4)
    # A toy's schedule is not secure.
    with patch.object(certificate, "_check", lambda *_: None):
        for _ in range(3):
            simulated = simulate_certificate(key, rng)
            with programmed(simulated.planned):
                certificate.verify(key, simulated.content)
            with pytest.raises(VerificationError):
                certificate.verify(key, simulated.content)


@pytest.mark.slow
def test_a_simulated_proof_verifies_for_a_secure_key() -> None:
    toy, rng = chosen(), np.random.default_rng(5)
    key = SimulatedKey.of(toy.key.verifying, rng)
    simulated = simulate(key, key.statement(toy.statement), toy.public, rng)
    with programmed(simulated.planned):
        verify(key.content, simulated.proof, toy.public, {}, key.content.weights)
