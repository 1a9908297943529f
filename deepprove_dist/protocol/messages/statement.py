"""The statement of a proof: its tensors, and the opening of the transcript.

Public integers are there by their encoding: see `public_integers`. A hidden tensor has a commitment in their
place: see `protocol.hidden`.
"""

from __future__ import annotations

from collections.abc import Mapping

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.checks import Check
from deepprove_dist.errors import InputError, VerificationError
from deepprove_dist.kernels import Transcript
from deepprove_dist.protocol.messages.proof import MAX_CONTEXT, VERSION, StatementBytes
from deepprove_dist.protocol.system.system import PublicTensor

PROTOCOL = f"deepprove-dist {VERSION}: sumcheck, logup-GKR, WHIR over KoalaBear^5".encode()
"""What a transcript begins with: proofs of another version have other challenges."""


def require_context(context: bytes) -> None:
    """Raises InputError for a context that is too long for a proof."""
    if len(context) > MAX_CONTEXT:
        raise InputError(
            f"the context has {len(context)} bytes, a proof holds {MAX_CONTEXT}: bind it to a digest instead"
        )


def require_tensors(tensors: tuple[PublicTensor, ...], data: tuple[bytes, ...]) -> None:
    """Raises VerificationError for another number of inputs, or of outputs, than the model has."""
    if len(data) != len(tensors):
        message = f"the proof has {len(data)} tensors, the model {len(tensors)}"
        raise VerificationError(Check.PUBLIC_COUNT, message, expected=len(tensors), actual=len(data))


def dequantise(tensors: tuple[PublicTensor, ...], values: Mapping[str, IntArray]) -> dict[str, FloatArray]:
    """The real values that integers stand for, float64 of the same shapes; of those tensors that have any."""
    return {
        public.name: public.scale.array * values[public.name] for public in tensors if public.name in values
    }


def start_transcript(security: bytes, statement: StatementBytes) -> Transcript:
    """Protocol, security parameters, key, and the whole statement, before anything is committed."""
    transcript = Transcript(PROTOCOL)
    transcript.absorb("parameters", security)
    transcript.absorb("key", statement.key_digest)
    if statement.epoch is not None:
        transcript.absorb("epoch", bytes(statement.epoch))
    transcript.absorb("batch", statement.batch.to_bytes(8, "little"))
    for data in statement.inputs:
        transcript.absorb("input", data)
    for data in statement.outputs:
        transcript.absorb("output", data)
    transcript.absorb("context", statement.context)
    return transcript
