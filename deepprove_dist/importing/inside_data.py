"""Large constants that stand inside of a model's file: they stay there, as those of other files do.

A file is a protobuf message: fields one after the other. A field has a key (its number and wire type), and a
length where its size is not fixed. The walk over them reads keys and lengths only. From then on a large
constant refers to its bytes in the file. Nothing copies, parses or writes them again.

Source: Protocol Buffers, "Encoding"; numbers of fields as onnx.proto has them.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import prod
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import helper

from deepprove_dist.importing.rewriting.standard import ALL_TYPES
from deepprove_dist.importing.rewriting.stored_constants import MAPPED_BYTES, refer_to

GRAPH, INITIALIZER, RAW_DATA = (
    onnx.ModelProto.DESCRIPTOR.fields_by_name["graph"].number,
    onnx.GraphProto.DESCRIPTOR.fields_by_name["initializer"].number,
    onnx.TensorProto.DESCRIPTOR.fields_by_name["raw_data"].number,
)

MOST_FIELDS = 64
"""Of a constant that may stay in the file. One with a field for each of its numbers has more."""

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_MOST_VARINT_BYTES = 10


@dataclass(frozen=True)
class _Field:
    """A field of a message: it stands at [start, end) of the file, and its content begins at ``content``."""

    number: int
    kind: int
    start: int
    content: int
    end: int


def load_model(path: Path) -> onnx.ModelProto:
    """The model in a file, without the data of other files. Large constants refer to their bytes in it.

    Raises DecodeError and OSError as ``onnx.load`` does.
    """
    if path.stat().st_size >= MAPPED_BYTES:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _outlined(data, path)
            except _NotWalkedError:
                # What is wrong with such a file, onnx says; or it is one of the formats that are texts.
                pass
    return onnx.load(path, load_external_data=False)


class _NotWalkedError(Exception):
    """The file is not laid out as protobuf writes a model."""


def _outlined(data: mmap.mmap, path: Path) -> onnx.ModelProto:
    model, fields = onnx.ModelProto(), list(_fields(data, 0, len(data)))
    graphs = [field for field in fields if field.number == GRAPH and field.kind == _LENGTH]
    if len(graphs) != 1:
        raise _NotWalkedError
    inside = list(_fields(data, graphs[0].content, graphs[0].end))
    constants = [field for field in inside if field.number == INITIALIZER and field.kind == _LENGTH]
    if not any(field.end - field.content >= MAPPED_BYTES for field in constants):
        raise _NotWalkedError
    try:
        model.ParseFromString(_joined(data, [field for field in fields if field is not graphs[0]]))
        apart = set(constants)
        model.graph.MergeFromString(_joined(data, [field for field in inside if field not in apart]))
        model.graph.initializer.extend(_constant(data, field, path) for field in constants)
    except DecodeError as error:
        raise _NotWalkedError from error
    return model


def _constant(data: mmap.mmap, field: _Field, path: Path) -> onnx.TensorProto:
    """A constant; a large one without its data, of which it says where they stand."""
    tensor, parts, raw = onnx.TensorProto(), list[_Field](), list[_Field]()
    if field.end - field.content >= MAPPED_BYTES:
        parts = list(islice(_fields(data, field.content, field.end), MOST_FIELDS))
        raw = [part for part in parts if part.number == RAW_DATA and part.kind == _LENGTH]
        tensor.ParseFromString(_joined(data, [part for part in parts if part not in raw]))
    if len(raw) == 1 and len(parts) < MOST_FIELDS and _fits(tensor, raw[0]):
        refer_to(tensor, path.resolve(), raw[0].content, raw[0].end - raw[0].content)
        tensor.data_location = onnx.TensorProto.EXTERNAL
        return tensor
    whole: onnx.TensorProto = onnx.TensorProto.FromString(data[field.content : field.end])
    return whole


def _fits(tensor: onnx.TensorProto, raw: _Field) -> bool:
    """Whether numpy maps the data as they stand. Of those that do not fit their shape, a reader says so."""
    if tensor.data_type not in ALL_TYPES or tensor.HasField("data_location"):
        return False
    size = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    length = raw.end - raw.content
    return length >= MAPPED_BYTES and length == prod(tensor.dims) * int(size)


def _joined(data: mmap.mmap, fields: list[_Field]) -> bytes:
    return b"".join(data[field.start : field.end] for field in fields)


def _fields(data: mmap.mmap, start: int, end: int) -> Iterator[_Field]:
    """The fields of the message at [start, end)."""
    while start < end:
        key, content = _varint(data, start, end)
        kind, size = key & 7, 0
        if kind == _VARINT:
            _, after = _varint(data, content, end)
            size = after - content
        elif kind == _LENGTH:
            size, content = _varint(data, content, end)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise _NotWalkedError
        if content + size > end:
            raise _NotWalkedError
        yield _Field(key >> 3, kind, start, content, content + size)
        start = content + size


def _varint(data: mmap.mmap, start: int, end: int) -> tuple[int, int]:
    """A number, seven bits a byte with the lowest first, and where it ends."""
    number = 0
    for index, byte in enumerate(data[start : min(end, start + _MOST_VARINT_BYTES)]):
        number |= (byte & 127) << (7 * index)
        if byte < 128:
            return number, start + index + 1
    raise _NotWalkedError
