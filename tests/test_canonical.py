"""Files have one encoding, and reading takes nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.canonical import (
    each,
    fields,
    integers,
    pack,
    record,
    require_canonical,
    typed,
    unpack,
)
from deepprove_dist.errors import FormatError

FILE: dict[str, Any] = {"format": "test", "version": 3, "values": [1, 2]}

contents = st.recursive(
    st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(contents)
def test_packing_keeps_everything(content: Any) -> None:
    packed = pack(FILE | {"content": content})
    found = unpack(packed, "test", 3)
    assert found["content"] == content
    require_canonical(packed, pack(found))


@given(data=st.binary(max_size=200))
def test_other_bytes_are_no_file(data: bytes) -> None:
    with pytest.raises(FormatError, match="not a test file"):
        unpack(data, "test", 3)


@given(data=st.data())
def test_damaged_bytes_are_a_file_or_an_error(data: st.DataObject) -> None:
    packed = bytearray(pack(FILE))
    packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    with suppress(FormatError):
        assert unpack(bytes(packed), "test", 3).keys() >= {"format", "version"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        pack(FILE)[:-1],
        pack(FILE) + b"\0",
        pack([FILE]),
        pack(FILE | {"format": "other"}),
        msgpack.packb({1: 2}),
        msgpack.packb(FILE | {1: 2}),
        b"\x91" * 5000,
        b"\xdd\xff\xff\xff\xff",
    ],
)
def test_what_is_no_file_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="not a test file"):
        unpack(data, "test", 3)


@pytest.mark.parametrize("version", [2, "3", None])
def test_another_version_is_named(version: object) -> None:
    with pytest.raises(FormatError, match=f"version {version}; this release reads 3"):
        unpack(pack(FILE | {"version": version}), "test", 3)


def test_a_record_has_its_keys_in_their_order() -> None:
    types = {"a": int, "b": str}
    assert record({"a": 1, "b": "x"}, types) == [1, "x"]
    for wrong in ({"b": "x", "a": 1}, {"a": 1}, {"a": 1, "b": "x", "c": 2}, [1, "x"], None):
        with pytest.raises(FormatError, match="record"):
            record(wrong, types)


def test_lists_have_their_length_and_types() -> None:
    assert fields([1, "x"], (int, str)) == [1, "x"]
    assert integers([1, 2]) == (1, 2)
    assert each([1, 2], str) == ("1", "2")
    for wrong in ([1], [1, "x", 2], (1, "x"), ["x", 1]):
        with pytest.raises(FormatError, match="expected"):
            fields(wrong, (int, str))
    for other in ((1, 2), "12", b"12", {1: 2}):
        with pytest.raises(FormatError, match="expected list"):
            each(other, int)


@pytest.mark.parametrize(("value", "kind"), [(True, int), (1.0, int), (1, float), ("a", bytes), (None, list)])
def test_types_are_exact(value: object, kind: type) -> None:
    with pytest.raises(FormatError, match=f"expected {kind.__name__}"):
        typed(value, kind)


def test_another_form_of_the_same_content_is_not_canonical() -> None:
    packed = pack(FILE)
    longer = packed.replace(b"\x03", b"\xcc\x03")
    assert unpack(longer, "test", 3) == FILE
    for again in (longer, packed + b"\xc0", packed[:-1]):
        with pytest.raises(FormatError, match="canonical"):
            require_canonical(again, packed)
