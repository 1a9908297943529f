"""Values as bytes: msgpack, written and read by msgspec with the types of the methods' signatures.

A field element or vector is its bytes in canonical form: of base elements as few as hold its integers. An
array is its type, shape and bytes. So equal values are equal bytes, and answers can be compared by digests.
Reading is strict: a value of another type than the schema's is an error that names the value's path, as
`$.rows[...]`. Nothing is ever unpickled.
"""

from __future__ import annotations

from typing import Any, TypeVar, get_origin

import msgspec
import numpy as np
import numpy.typing as npt

from deepprove_dist.kernels import AxisVector, BaseVector, Extension, ExtensionVector

_FIELD_TYPES = (BaseVector, ExtensionVector, Extension, AxisVector)
_ARRAY_TYPES = ("|i1", "<i2", "<i4", "<i8")

T = TypeVar("T")


def encode(value: object) -> bytes:
    """A value's bytes. Raises TypeError for a type that no message holds, OverflowError beyond 64 bits."""
    return msgspec.msgpack.encode(value, enc_hook=_write)


def decoder(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """What reads values of a type; its `decode` raises ValueError for anything else."""
    return msgspec.msgpack.Decoder(kind, dec_hook=_read)


def _write(value: object) -> object:
    if isinstance(value, BaseVector):
        return value.packed()
    if isinstance(value, _FIELD_TYPES):
        return bytes(value)
    if isinstance(value, np.ndarray) and value.dtype.str in _ARRAY_TYPES:
        return value.dtype.str, value.shape, value.tobytes()
    raise TypeError(f"a message holds no {type(value).__name__}")


def _read(kind: Any, value: object) -> object:
    if kind in _FIELD_TYPES:
        if not isinstance(value, bytes):
            raise TypeError(f"expected the bytes of a {kind.__name__}, not {type(value).__name__}")
        return kind.from_packed(value) if kind is BaseVector else kind.from_bytes(value)
    if get_origin(kind) is np.ndarray:
        return _read_array(value)
    raise TypeError(f"a message holds no {kind}")


def _read_array(value: object) -> npt.NDArray[Any]:
    match value:
        case [str(dtype), [*shape], bytes(content)] if dtype in _ARRAY_TYPES:
            return np.frombuffer(content, dtype=dtype).reshape([_size(size) for size in shape])
    raise TypeError("expected an array: its type, shape and bytes")


def _size(value: object) -> int:
    # A negative size would let numpy choose one.
    if type(value) is not int or value < 0:
        raise ValueError(f"an array's size cannot be {value!r}")
    return value
