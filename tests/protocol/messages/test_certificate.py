"""A certificate has one encoding; reading refuses every other, and each part of its statement is absorbed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import Extension
from deepprove_dist.protocol.messages.certificate import (
    PROTOCOL,
    CertificateStatement,
    dump,
    load,
    start_transcript,
)
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.messages.statement import PROTOCOL as PROOFS
from tests.protocol.certificate.epochs import certificate, content
from tests.records import replace

DATA = certificate()
STATEMENT = content().statement

Change = Callable[[dict[str, Any]], object]


def altered(change: Change) -> bytes:
    whole = msgpack.unpackb(DATA)
    change(whole)
    packed: bytes = msgpack.packb(whole)
    return packed


def test_writing_undoes_reading() -> None:
    assert dump(load(DATA)) == DATA


@given(length=st.integers(0, len(DATA) - 1))
def test_no_part_of_a_certificate_is_one(length: int) -> None:
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
        (lambda c: c.update(format="deepprove-dist proof"), "not a deepprove-dist certificate file"),
        (lambda c: c.update(version=2), "version 2"),
        (lambda c: c.update(extra=1), "unknown field `extra`"),
        (lambda c: c.update(mask=None), "Expected `array`.*`[$].mask`"),
        (lambda c: c.pop("opening"), "missing required field `opening`"),
        (lambda c: c["statement"].append(1), "length 5, got 6 - at `[$].statement`"),
        (lambda c: c["statement"].__setitem__(0, bytes(31)), "statement.key_digest`"),
        (lambda c: c["statement"][1].__setitem__(2, 99), "security levels"),
        (lambda c: c["statement"][2].__setitem__(0, -1), "statement.old.number`"),
        (lambda c: c["statement"][3].__setitem__(0, 1 << 54), "statement.new.number`"),
        (lambda c: c["statement"][3].__setitem__(1, bytes(33)), "statement.new.root`"),
    ],
)
def test_malformed_parts_are_refused(change: Change, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        load(altered(change))


def test_an_epoch_is_absorbed_in_sixty_bytes() -> None:
    epoch = EpochWeights(258, bytes(range(32)), Extension(7))
    assert bytes(epoch) == b"\2\1" + bytes(6) + bytes(range(32)) + bytes(Extension(7))
    assert len(bytes(epoch)) == 60


@pytest.mark.parametrize(
    "other",
    [
        replace(STATEMENT, key_digest=bytes(32)),
        replace(STATEMENT, schedule=replace(STATEMENT.schedule, security_bits=128)),
        replace(STATEMENT, old=replace(STATEMENT.old, number=1)),
        replace(STATEMENT, old=STATEMENT.new, new=STATEMENT.old),
        replace(STATEMENT, new=replace(STATEMENT.new, root=bytes(32))),
        replace(STATEMENT, new=replace(STATEMENT.new, answer=Extension(1))),
    ],
)
def test_every_part_of_a_statement_changes_the_challenges(other: CertificateStatement) -> None:
    assert start_transcript(other).digest() != start_transcript(STATEMENT).digest()


def test_no_challenge_of_a_proof_is_one_of_a_certificate() -> None:
    assert PROTOCOL != PROOFS
