"""Strict, canonical msgpack: a file of this package has one encoding only, and reading takes nothing else.

The schema of a file is its type. A `File` is a map of named fields. A `Record` in it is a list of fields in
their order. Fields are records, tuples, texts, bytes, integers, floats, enumerations, and vectors and
functions of the kernels. msgspec reads them strictly: types are exact (True is no 1), and lists have their
records' lengths. What was read is written again and compared. That excludes trailing bytes, longer forms of
numbers, other orders of fields, and integers in place of floats. Nothing is ever unpickled.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec.inspect import DictType, Field, StructType, TupleType, Type, UnionType, VarTupleType, type_info

from deepprove_dist.errors import DeepProveError, FormatError
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, LinearPieces

DIGEST_BYTES = 32
Digest = Annotated[bytes, msgspec.Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
"""A field of 32 bytes."""


Limit = msgspec.Meta
"""What a field may hold at most: `Annotated[bytes, Limit(max_length=8)]`."""


class Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Fields that a file holds as a list, in their order.

    A record checks itself in `__post_init__`; raise a DeepProveError there. `replace` makes a changed copy.
    """


class FrozenStruct(msgspec.Struct, frozen=True, gc=False):
    """Data that are made by the thousand, and are in no file: it takes a fraction of a dataclass's time.

    They refer to what was there before them. So they are in no circle, and Python need not look for one.
    """


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file, as a map: what it is, its version, then the fields of a subclass."""

    format: str
    version: int


AnyStruct = TypeVar("AnyStruct", bound=msgspec.Struct)
AnyFile = TypeVar("AnyFile", bound=File)


def replace(record: AnyStruct, **changes: Any) -> AnyStruct:
    """The record with other fields."""
    return msgspec.structs.replace(record, **changes)


def encode(content: object) -> bytes:
    """The bytes of a file, a record or a value; equal contents give equal bytes."""
    return msgspec.msgpack.encode(content, enc_hook=_write)


def prepare(kind: type[File]) -> None:
    """Derives now how files of a type are read, a millisecond of a proof's, and not when the first one is."""
    msgspec.msgpack.Decoder(kind, dec_hook=_read)


def decode_file(data: bytes, kind: type[AnyFile], form: str, version: int) -> AnyFile:
    """The file of a format in these bytes.

    Raises FormatError for bytes that are another file, or are not in canonical form. The same for a field of
    another type or length; the text has its path, as `$.opening.rounds[3].root`.
    """
    header = _decode(data, _Header, f"not a {form} file")
    if header.format != form:
        raise FormatError(f"not a {form} file")
    if header.version != version:
        advice = "make it again" if header.version < version else "it is of another release"
        raise FormatError(f"{form} file of version {header.version}; this release reads {version}: {advice}")
    content = _decode(data, kind, f"the {form} file is not valid")
    if encode(content) != data:
        raise FormatError("the file is not in canonical form")
    return content


class _Header(msgspec.Struct):
    """What all files begin with; other fields are passed over."""

    format: str
    version: int


T = TypeVar("T")


def _decode(data: bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.msgpack.decode(data, type=kind, dec_hook=_read)
    except msgspec.ValidationError as error:
        raise FormatError(f"{what}: {_printable(_name_fields(str(error), kind))}") from error
    # A record's own check; bytes that are no msgpack, or nest too deeply.
    except (DeepProveError, ValueError, RecursionError) as error:
        raise FormatError(f"{what}: {error}") from error


_OF_KERNELS = (BaseVector, Extension, ExtensionVector, LinearPieces)


def _write(value: object) -> bytes:
    if isinstance(value, _OF_KERNELS):
        return bytes(value)
    raise TypeError(f"a file holds no {type(value).__name__}")


def _read(kind: type[Any], value: object) -> object:
    if not isinstance(value, bytes):
        raise TypeError(f"Expected `bytes`, got `{type(value).__name__}`")
    return kind.from_bytes(value)


def _printable(text: str) -> str:
    """A text that may quote a file, without what a terminal would obey, and not too long."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST // 2]} ... {shown[-_LONGEST // 2 :]}"


_LONGEST = 400


def _name_fields(message: str, kind: type) -> str:
    """An error of msgspec with names in its path, for the positions of a record's fields."""
    text, at, path = message.partition(" - at `$")
    if not at:
        return message
    return text + at + _name_path(path.rstrip("`"), type_info(kind)) + "`"


def _name_path(path: str, kind: Type) -> str:
    """A path from a value of this type, such as `[0].terms[1][2]`, with names.

    Positions stay numbers from where a value may be one of several records.
    """
    named, steps = "", re.findall(r"\.\w+|\[\d+\]|\[\.\.\.\]", path)
    for count, step in enumerate(steps):
        kinds = kind.types if isinstance(kind, UnionType) else (kind,)
        lead = [_follow(step, item) for item in kinds if isinstance(item, _CONTAINERS)]
        if len(lead) != 1 or lead[0] is None:
            return named + "".join(steps[count:])
        name, kind = lead[0]
        named += name
    return named


_CONTAINERS = (DictType, StructType, TupleType, VarTupleType)


def _follow(step: str, kind: DictType | StructType | TupleType | VarTupleType) -> tuple[str, Type] | None:
    """A step of a path with its name, and the type that it leads to; None for a record's tag."""
    match kind:
        case VarTupleType():
            return step, kind.item_type
        case TupleType():
            return step, kind.item_types[int(step[1:-1])]
        case DictType():
            return step, kind.value_type
    field = _field(step, kind)
    return None if field is None else (f".{field.name}", field.type)


def _field(step: str, kind: StructType) -> Field | None:
    # A record's tag stands before its fields.
    first = 1 if kind.array_like and kind.tag is not None else 0
    for position, field in enumerate(kind.fields, first):
        if step in (f".{field.encode_name}", f"[{position}]"):
            return field
    return None
