"""A proof has one encoding; reading refuses every other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import FormatError
from deepprove_dist.field import MODULUS
from deepprove_dist.protocol.messages.proof import VERSION, dump, load
from tests.protocol.example import proof

DATA = proof()

Change = Callable[[dict[str, Any]], object]


def altered(change: Change) -> bytes:
    content = msgpack.unpackb(DATA)
    change(content)
    packed: bytes = msgpack.packb(content)
    return packed


@pytest.mark.parametrize("data", [DATA, proof("public"), proof(samples=3)])
def test_writing_undoes_reading(data: bytes) -> None:
    assert dump(load(data)) == data


@given(length=st.integers(0, len(DATA) - 1))
def test_no_part_of_a_proof_is_one(length: int) -> None:
    with pytest.raises(FormatError):
        load(DATA[:length])


@given(index=st.integers(0, len(DATA) - 1), value=st.integers(0, 255))
def test_what_is_read_is_what_was_written(index: int, value: int) -> None:
    data = bytearray(DATA)
    data[index] = value
    with suppress(FormatError):
        assert dump(load(bytes(data))) == bytes(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(format="deepprove-dist verifying key"), "not a deepprove-dist proof file"),
        (lambda c: c.update(version=1), "version 1"),
        (lambda c: c.update(extra=1), "unknown field `extra`"),
        (lambda c: c.update(statement=c.pop("statement")), "canonical"),
        (lambda c: c.pop("fractions"), "missing required field `fractions`"),
        (lambda c: c.update(fractions=c["fractions"].hex()), "Expected `bytes`.*`[$].fractions`"),
        (lambda c: c["statement"].append(b""), "length 6, got 7 - at `[$].statement`"),
        (lambda c: c["statement"].__setitem__(0, bytes(31)), ">= 32 - at `[$].statement.key_digest`"),
        (lambda c: c["statement"].__setitem__(2, True), "Expected `int`.*`[$].statement.batch`"),
        (lambda c: c["statement"].__setitem__(2, 1.0), "Expected `int`.*`[$].statement.batch`"),
        (lambda c: c["statement"][3].append("text"), r"Expected `bytes`.*`[$].statement.inputs\[1\]`"),
        (lambda c: c["statement"].__setitem__(5, "text"), "Expected `bytes`.*`[$].statement.context`"),
        (
            lambda c: c["statement"].__setitem__(1, [-1, bytes(32), bytes(20)]),
            ">= 0.*statement.epoch.number`",
        ),
        (lambda c: c["statement"].__setitem__(1, [1 << 54, bytes(32), bytes(20)]), "epoch.number`"),
        (lambda c: c["statement"].__setitem__(1, [1, bytes(31), bytes(20)]), "statement.epoch.root`"),
        (lambda c: c["statement"].__setitem__(1, [1, bytes(32), bytes(19)]), "statement.epoch.answer`"),
        (lambda c: c.pop("certificates"), "missing required field `certificates`"),
        (lambda c: c["certificates"].append("text"), r"Expected `bytes`.*`[$].certificates\[0\]`"),
        (lambda c: c["certificates"].extend([b""] * 33), "length <= 32 - at `[$].certificates`"),
        (lambda c: c["witness"].__setitem__(0, bytes(33)), "<= 32 - at `[$].witness.root`"),
        (lambda c: c["witness"].__setitem__(1, bytes(19)), "whole number.*`[$].witness.answer`"),
        (lambda c: c["witness"].__setitem__(1, MODULUS.to_bytes(4, "little") * 5), "below the modulus"),
        (lambda c: c["relations"].__setitem__(0, c["relations"][0] + b"\0"), "whole number.*relations.sums"),
        (lambda c: c["witness"].__setitem__(1, bytes(40)), "an extension element has 20 bytes"),
        (lambda c: c["relations"].pop(), "length 3, got 2 - at `[$].relations`"),
        (lambda c: c["opening"].append([]), "length 5, got 6 - at `[$].opening`"),
        (lambda c: c["opening"].__setitem__(1, [[bytes(31), bytes(20), b""]]), r"opening.rounds\[0\].root`"),
        (lambda c: c["opening"].__setitem__(2, b"\xff" * 20), "below the modulus.*opening.final`"),
        (lambda c: c["opening"][4][0].__setitem__(0, b"\xff" * 4), r"below the modulus.*leaves\[0\].rows`"),
        (lambda c: c["opening"][4][0].__setitem__(0, b"\0" * 5), r"whole number.*leaves\[0\].rows`"),
        (lambda c: c["opening"][4][0].append(b""), r"length 2, got 3 - at `[$].opening.leaves\[0\]`"),
    ],
)
def test_malformed_parts_are_refused(change: Change, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        load(altered(change))


def test_longer_forms_of_the_same_content_are_refused() -> None:
    assert altered(lambda content: None) == DATA
    version = bytes([VERSION])
    longer = DATA.replace(b"\xa7version" + version, b"\xa7version\xcc" + version, 1)
    assert longer != DATA
    assert msgpack.unpackb(longer) == msgpack.unpackb(DATA)
    with pytest.raises(FormatError, match="canonical"):
        load(longer)
    with pytest.raises(FormatError):
        load(DATA + b"\0")
