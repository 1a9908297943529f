"""The statement of a proof: public integers, their encoding, and the opening of the transcript.

An integer of a public tensor with range [lo, hi] is encoded as value - lo, unsigned and little endian. It
takes 1, 2 or 4 bytes, whichever first holds hi - lo. Decoding refuses values above hi: the verifier
range-checks all public integers. A hidden tensor has a commitment in their place: see `protocol.hidden`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.checks import Check
from deepprove_dist.errors import InputError, VerificationError
from deepprove_dist.kernels import Transcript
from deepprove_dist.protocol.messages.proof import MAX_CONTEXT, VERSION, StatementBytes
from deepprove_dist.protocol.system.system import PublicTensor

PROTOCOL = f"deepprove-dist {VERSION}: sumcheck, logup-GKR, WHIR over KoalaBear^5".encode()
"""What a transcript begins with: proofs of another version have other challenges."""


def encode_tensor(public: PublicTensor, values: IntArray) -> bytes:
    """Integers in the tensor's range, any shape, as `encoded_bytes` bytes in row-major order."""
    return (values.reshape(-1) - public.lo).astype(_unsigned(public)).tobytes()


def encoded_bytes(public: PublicTensor, batch: int) -> int:
    """Bytes of the encoding for `batch` samples."""
    return batch * prod(public.shape) * _unsigned(public).itemsize


def require_context(context: bytes) -> None:
    """Raises InputError for a context that is too long for a proof."""
    if len(context) > MAX_CONTEXT:
        raise InputError(
            f"the context has {len(context)} bytes, a proof holds {MAX_CONTEXT}: bind it to a digest instead"
        )


def decode_tensor(public: PublicTensor, batch: int, data: bytes) -> IntArray:
    """The integers, int64 [batch, *shape].

    Raises VerificationError for another number of them, or one out of range.
    """
    shape, kind = (batch, *public.shape), _unsigned(public)
    if len(data) != encoded_bytes(public, batch):
        raise VerificationError(
            Check.PUBLIC_LENGTH,
            "another number of elements than the model's",
            subject=public.name,
            expected=encoded_bytes(public, batch) // kind.itemsize,
            actual=len(data) // kind.itemsize,
        )
    values = np.frombuffer(data, dtype=kind).astype(np.int64) + public.lo
    if values.size and int(values.max()) > public.hi:
        index = int(values.argmax())
        raise VerificationError(
            Check.PUBLIC_RANGE,
            f"a value above {public.hi}, the end of its range",
            subject=public.name,
            index=index,
            expected=public.hi,
            actual=int(values[index]),
        )
    return values.reshape(shape)


def require_tensors(tensors: tuple[PublicTensor, ...], data: tuple[bytes, ...]) -> None:
    """Raises VerificationError for another number of inputs, or of outputs, than the model has."""
    if len(data) != len(tensors):
        message = f"the proof has {len(data)} tensors, the model {len(tensors)}"
        raise VerificationError(Check.PUBLIC_COUNT, message, expected=len(tensors), actual=len(data))


def decode_tensors(
    tensors: tuple[PublicTensor, ...], batch: int, data: tuple[bytes, ...]
) -> dict[str, IntArray]:
    """All inputs or all outputs, none of them hidden, by name: int64 [batch, *shape] each.

    Raises VerificationError for another number of tensors, and as `decode_tensor` does.
    """
    require_tensors(tensors, data)
    pairs = zip(tensors, data, strict=True)
    return {public.name: decode_tensor(public, batch, item) for public, item in pairs}


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


def _unsigned(public: PublicTensor) -> np.dtype[np.unsignedinteger]:
    span = public.hi - public.lo
    code = "<u1" if span < 1 << 8 else "<u2" if span < 1 << 16 else "<u4"
    return np.dtype(code)
