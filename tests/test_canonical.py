"""Files have one encoding, and reading takes nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.canonical import (
    Digest,
    File,
    Record,
    decode_file,
    encode,
)
from deepprove_dist.errors import FormatError, InputError
from deepprove_dist.kernels import ExtensionVector


class Row(Record, frozen=True):
    count: int
    values: ExtensionVector


class Slide(Record, frozen=True, tag="slide"):
    axis: int
    taps: tuple[int, ...]


class Example(File, frozen=True):
    digest: Digest
    rows: tuple[Row, ...]
    axes: tuple[int | Slide, ...]
    scales: dict[str, float]


EXAMPLE = Example("test", 3, bytes(32), (Row(1, ExtensionVector([1, 2])),), (1, Slide(2, (3,))), {"x": 0.5})


def altered(**changes: Any) -> bytes:
    packed: bytes = msgpack.packb(msgpack.unpackb(encode(EXAMPLE)) | changes)
    return packed


def test_a_file_is_a_map_and_its_records_are_lists() -> None:
    assert decode_file(encode(EXAMPLE), Example, "test", 3) == EXAMPLE
    content = msgpack.unpackb(encode(EXAMPLE))
    assert list(content) == ["format", "version", "digest", "rows", "axes", "scales"]
    assert content["rows"] == [[1, bytes(ExtensionVector([1, 2]))]]
    assert content["axes"] == [1, ["slide", 2, [3]]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "not a test file"),
        ({"version": 2}, "test file of version 2; this release reads 3: make it again"),
        ({"version": 4}, "test file of version 4; this release reads 3: it is of another release"),
        ({"version": True}, r"Expected `int`, got `bool` - at `\$.version`"),
        ({"version": "3"}, r"Expected `int`, got `str` - at `\$.version`"),
        ({"version": None}, r"Expected `int`, got `None` - at `\$.version`"),
        ({"more": 1}, "unknown field `more`"),
        ({"digest": bytes(31)}, r"length >= 32 - at `\$.digest`"),
        ({"rows": [[True, b""]]}, r"Expected `int`, got `bool` - at `\$.rows\[0\].count`"),
        ({"rows": [[1, 2]]}, r"Expected `bytes`, got `int` - at `\$.rows\[0\].values`"),
        ({"rows": [[1, b"\xff" * 20]]}, r"below the modulus - at `\$.rows\[0\].values`"),
        ({"rows": [[1, b"", 2]]}, r"at most length 2, got 3 - at `\$.rows\[0\]`"),
        ({"rows": [[1, b""], [1]]}, r"at least length 2, got 1 - at `\$.rows\[1\]`"),
        ({"axes": [0, ["slide", 1, [2, 3.0]]]}, r"got `float` - at `\$.axes\[1\].taps\[1\]`"),
        ({"axes": [0, ["other", 1, []]]}, r"'other' - at `\$.axes\[1\]\[0\]`"),
        ({"scales": {"x": "1"}}, r"got `str` - at `\$.scales\[...\]`"),
        ({"scales": {"x": 1}}, "canonical form"),
        ({"axes": [0, 1 << 64 - 1, -1]}, None),
    ],
)
def test_an_error_says_where_it_is(changes: dict[str, Any], message: str | None) -> None:
    if message is None:
        decode_file(altered(**changes), Example, "test", 3)
        return
    with pytest.raises(FormatError, match=message):
        decode_file(altered(**changes), Example, "test", 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        encode(EXAMPLE)[:-1],
        encode(EXAMPLE) + b"\0",
        b"\x91" * 5000,
        b"\x82\xa6format" + b"\x91" * 5000,
        b"\xdd\xff\xff\xff\xff",
        b"\x81\xa6format\xa2\xff\xff",
        b"\xd6\xff\0\0\0\0",
        encode(EXAMPLE).replace(b"version\x03", b"version\xcc\x03"),
        msgpack.packb(dict(reversed(msgpack.unpackb(encode(EXAMPLE)).items()))),
    ],
)
def test_other_bytes_than_those_written_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"not a test file|not valid|canonical form"):
        decode_file(data, Example, "test", 3)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_no_file(data: bytes) -> None:
    with pytest.raises(FormatError, match="not a test file"):
        decode_file(data, Example, "test", 3)


@given(index=st.integers(0, len(encode(EXAMPLE)) - 1), value=st.integers(0, 255))
def test_what_is_read_is_what_was_written(index: int, value: int) -> None:
    data = bytearray(encode(EXAMPLE))
    data[index] = value
    with suppress(FormatError):
        assert encode(decode_file(bytes(data), Example, "test", 3)) == bytes(data)


class Even(Record, frozen=True):
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise InputError("odd")


class Numbers(File, frozen=True):
    numbers: tuple[Even, ...]


def test_a_record_that_refuses_itself_is_an_error_of_the_file() -> None:
    file = {"format": "test", "version": 1, "numbers": [[1]]}
    with pytest.raises(FormatError, match="odd"):
        decode_file(msgpack.packb(file), Numbers, "test", 1)
    with pytest.raises(FormatError, match=r"got `bool` - at `\$.version`"):
        decode_file(msgpack.packb(file | {"version": True}), Numbers, "test", 1)


def test_only_known_types_are_written() -> None:
    with pytest.raises(TypeError, match="a file holds no object"):
        encode(object())
