"""The statement of a proof: public integers, their encoding, and the opening of the transcript.

Decoding refuses values above the end of a tensor's range: the verifier range-checks all public integers. A
hidden tensor has a commitment in their place: see `protocol.hidden`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.checks import Check
from deepprove_dist.errors import InputError, VerificationError
from deepprove_dist.kernels import Transcript, index_of_largest
from deepprove_dist.protocol.messages.proof import MAX_CONTEXT, VERSION, StatementBytes
from deepprove_dist.protocol.messages.public_integers import PublicIntegers, integer_bytes
from deepprove_dist.protocol.system.system import PublicTensor

PROTOCOL = f"deepprove-dist {VERSION}: sumcheck, logup-GKR, WHIR over KoalaBear^5".encode()
"""What a transcript begins with: proofs of another version have other challenges."""


def encode_tensor(public: PublicTensor, values: IntArray) -> bytes:
    """Integers in the tensor's range, any shape, as `encoded_bytes` bytes in row-major order."""
    return (values.reshape(-1) - public.lo).astype(f"<u{integer_bytes(public)}").tobytes()


def encoded_bytes(public: PublicTensor, batch: int) -> int:
    """Bytes of the encoding for `batch` samples."""
    return batch * prod(public.shape) * integer_bytes(public)


def require_context(context: bytes) -> None:
    """Raises InputError for a context that is too long for a proof."""
    if len(context) > MAX_CONTEXT:
        raise InputError(
            f"the context has {len(context)} bytes, a proof holds {MAX_CONTEXT}: bind it to a digest instead"
        )


def decode_tensor(public: PublicTensor, batch: int, data: bytes) -> PublicIntegers:
    """The integers of `batch` samples.

    Raises VerificationError for another number of them, or one out of range.
    """
    size = integer_bytes(public)
    if len(data) != encoded_bytes(public, batch):
        raise VerificationError(
            Check.PUBLIC_LENGTH,
            "another number of elements than the model's",
            subject=public.name,
            expected=encoded_bytes(public, batch) // size,
            actual=len(data) // size,
        )
    index = index_of_largest(data, size)
    largest = public.lo + int.from_bytes(data[index * size : (index + 1) * size], "little")
    if largest > public.hi:
        raise VerificationError(
            Check.PUBLIC_RANGE,
            f"a value above {public.hi}, the end of its range",
            subject=public.name,
            index=index,
            expected=public.hi,
            actual=largest,
        )
    return PublicIntegers(public, batch, data)


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
