"""What one proof by given keys would take: known from the verifying key, before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

from deepprove_dist.protocol.key.account import protocol_shape
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.parameters import estimated_milliseconds, proof_bytes
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.prover import needed_memory


@dataclass(frozen=True)
class ProofPrice:
    """What a proof would take in one process.

    Attributes:
        samples: in the proof.
        proof_bytes: of the proof, without inputs, outputs and certificates.
        proving_ms: milliseconds on two cores with AVX-512, without inference and self-check.
        memory_bytes: bytes that proving holds, beside the interpreter.
    """

    samples: int
    proof_bytes: int
    proving_ms: float
    memory_bytes: int


def price_proof(content: KeyContent, samples: int = 1) -> ProofPrice:
    """The price of a proof of so many samples. Raises VerificationError for more than the key allows.

    Codes have the size of the largest number of samples, whatever a proof has.
    """
    system, schedule = content.instance(samples).system, content.schedule
    shape, weights = protocol_shape(system), system.values(Matrix.WEIGHTS)
    return ProofPrice(
        samples,
        proof_bytes(schedule, shape),
        estimated_milliseconds(schedule, shape, weights),
        needed_memory(content, samples, weights),
    )
