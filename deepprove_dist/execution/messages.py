"""Calls and answers as bytes: msgpack, with field vectors and integer arrays as extension types.

A call is a method's name with arguments; an answer is what the call took (seconds that the worker was busy,
bytes that it fetched from other workers), and a value or an error. Tuples arrive as lists. Field elements
travel in canonical form, so that equal values are equal bytes: answers, but for what they took, can be
compared.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import msgpack
import numpy as np

from deepprove_dist.errors import PeerError, WorkerError
from deepprove_dist.kernels import AxisVector, BaseVector, Extension, ExtensionVector, digest

_BASE, _EXTENSION, _ELEMENT, _AXIS, _ARRAY = range(5)
_EFFORT = struct.Struct("<dQ")
#: How an answer without an error begins: a pair whose first is nothing.
_NO_ERROR = b"\x92\xc0"

Arguments = Mapping[str, Any]

SERIES = "series"
"""Several calls in one; the answer is the last one's."""


def encode_call(method: str, arguments: Arguments) -> bytes:
    """A call of a worker's method."""
    return _pack([method, dict(arguments)])


def encode_series(calls: Sequence[tuple[str, Arguments]]) -> bytes:
    """One call or more, to be made one after the other, as one call."""
    if len(calls) == 1:
        return encode_call(*calls[0])
    return encode_call(SERIES, {"calls": [(method, dict(arguments)) for method, arguments in calls]})


def decode_call(data: bytes) -> tuple[str, dict[str, Any]]:
    """Method and arguments."""
    method, arguments = _unpack(data)
    return method, arguments


def encode_answer(value: object, seconds: float = 0.0, fetched: int = 0) -> bytes:
    """The answer to a call that took so many seconds, and bytes of other workers."""
    return _EFFORT.pack(seconds, fetched) + _pack([None, value])


def encode_error(error: Exception, seconds: float = 0.0, fetched: int = 0) -> bytes:
    """The answer to a call that failed."""
    name = type(error).__name__
    return _EFFORT.pack(seconds, fetched) + _pack([f"{name}: {error}", name])


def decode_answer(answer: bytes) -> Any:
    """The value that a worker answered with.

    Raises WorkerError where it failed, or sent no answer at all; PeerError where it missed another worker.
    """
    try:
        error, value = _unpack(memoryview(answer)[_EFFORT.size :])
    except Exception as broken:  # whatever is wrong with these bytes, the worker made them
        raise WorkerError(f"sent bytes that are no answer ({broken})") from broken
    if error is not None:
        kind = PeerError if value == PeerError.__name__ else WorkerError
        raise kind(str(error))
    return value


def is_error(answer: bytes) -> bool:
    """Whether a call failed, or the bytes are no answer; quick for any answer."""
    return answer[_EFFORT.size : _EFFORT.size + len(_NO_ERROR)] != _NO_ERROR


def missed_peer(answer: bytes) -> str:
    """What a call that failed for want of another worker says of it, else nothing."""
    if is_error(answer):
        try:
            decode_answer(answer)
        except PeerError as error:
            return str(error)
        except WorkerError:
            pass
    return ""


def busy_seconds(answer: bytes) -> float:
    """How long the worker was busy with the call, by its own clock; 0 where the bytes are no answer."""
    return float(_EFFORT.unpack_from(answer)[0]) if len(answer) >= _EFFORT.size else 0.0


def fetched_bytes(answer: bytes) -> int:
    """Bytes that the worker fetched from other workers; 0 where the bytes are no answer."""
    return int(_EFFORT.unpack_from(answer)[1]) if len(answer) >= _EFFORT.size else 0


def answer_digest(answer: bytes) -> bytes:
    """A digest of value or error, without what it took: equal for all workers that answer the same."""
    return digest("deepprove-dist answer", answer[_EFFORT.size :])


def encode_value(value: object) -> bytes:
    """A value alone."""
    return _pack(value)


def decode_value(data: bytes) -> Any:
    """A value again."""
    return _unpack(data)


def _pack(value: object) -> bytes:
    packed: bytes = msgpack.packb(value, default=_write)
    return packed


def _unpack(data: bytes | memoryview) -> Any:
    return msgpack.unpackb(
        data, ext_hook=_read, strict_map_key=False, max_bin_len=len(data), max_ext_len=len(data)
    )


def _write(value: object) -> msgpack.ExtType:
    match value:
        case BaseVector():
            return msgpack.ExtType(_BASE, bytes(value))
        case ExtensionVector():
            return msgpack.ExtType(_EXTENSION, bytes(value))
        case Extension():
            return msgpack.ExtType(_ELEMENT, bytes(value))
        case AxisVector():
            return msgpack.ExtType(_AXIS, bytes(value))
        case np.ndarray():
            header = _pack([value.dtype.str, list(value.shape)])
            return msgpack.ExtType(_ARRAY, bytes([len(header)]) + header + value.tobytes())
        case _:
            raise TypeError(f"a message holds no {type(value).__name__}")


def _read(code: int, data: bytes) -> object:
    if code == _BASE:
        return BaseVector.from_bytes(data)
    if code == _EXTENSION:
        return ExtensionVector.from_bytes(data)
    if code == _ELEMENT:
        return Extension.from_bytes(data)
    if code == _AXIS:
        return AxisVector.from_bytes(data)
    end = 1 + data[0]
    dtype, shape = _unpack(data[1:end])
    return np.frombuffer(data, dtype=dtype, offset=end).reshape(shape)
