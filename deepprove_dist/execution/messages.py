"""Calls and answers as bytes: msgpack, with field vectors and integer arrays as extension types.

A call is a method's name with arguments; an answer is the seconds that the worker was busy with it, and a
value or an error. Tuples arrive as lists. Field elements travel in canonical form, so that equal values are
equal bytes: answers, but for the seconds, can be compared.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import msgpack
import numpy as np

from deepprove_dist.errors import WorkerError
from deepprove_dist.kernels import AxisVector, BaseVector, Extension, ExtensionVector, digest

_BASE, _EXTENSION, _ELEMENT, _AXIS, _ARRAY = range(5)
_SECONDS = struct.Struct("<d")

Arguments = Mapping[str, Any]


def encode_call(method: str, arguments: Arguments) -> bytes:
    """A call of a worker's method."""
    return _pack([method, dict(arguments)])


def decode_call(data: bytes) -> tuple[str, dict[str, Any]]:
    """Method and arguments."""
    method, arguments = _unpack(data)
    return method, arguments


def encode_answer(value: object, seconds: float = 0.0) -> bytes:
    """The answer to a call that took so many seconds."""
    return _SECONDS.pack(seconds) + _pack([None, value])


def encode_error(error: Exception, seconds: float = 0.0) -> bytes:
    """The answer to a call that failed."""
    return _SECONDS.pack(seconds) + _pack([f"{type(error).__name__}: {error}", None])


def decode_answer(answer: bytes) -> Any:
    """The value that a worker answered with. Raises WorkerError where it failed, or sent no answer at all."""
    try:
        error, value = _unpack(memoryview(answer)[_SECONDS.size :])
    except Exception as broken:  # whatever is wrong with these bytes, the worker made them
        raise WorkerError(f"sent bytes that are no answer ({broken})") from broken
    if error is not None:
        raise WorkerError(str(error))
    return value


def busy_seconds(answer: bytes) -> float:
    """How long the worker was busy with the call, by its own clock; 0 where the bytes are no answer."""
    return float(_SECONDS.unpack_from(answer)[0]) if len(answer) >= _SECONDS.size else 0.0


def answer_digest(answer: bytes) -> bytes:
    """A digest of value or error, without the seconds: equal for all workers that answer the same."""
    return digest("deepprove-dist answer", answer[_SECONDS.size :])


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
