"""Seeds change with all that they are derived from, and no two kinds of seeds meet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deepprove_dist import kernels
from deepprove_dist.errors import ChoiceError
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.randomness.seed import certificate_seed, model_salt, proof_seed, tail_seed
from tests.attacks.blake3 import keyed_hash

RESERVATION = Reservation(2, 5, bytes([7]) * 32)
ARGUMENTS: dict[str, Any] = {
    "code_version": "0.1.0",
    "key_digest": bytes([1]) * 32,
    "reservation": RESERVATION,
    "attempt": 0,
    "statement_digest": bytes([2]) * 32,
    "witness_digest": bytes([3]) * 32,
}
CHANGES: dict[str, Any] = {
    "code_version": "0.1.1",
    "key_digest": bytes([2]) * 32,
    "attempt": 1,
    "statement_digest": bytes([3]) * 32,
    "witness_digest": bytes([2]) * 32,
}


@pytest.fixture(name="derived")
def record_derivations(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[str, bytes]]]:
    """All lists of parts that a seed was derived from, by a plain keyed BLAKE3."""
    derived = []

    def derive_seed(secret: bytes, parts: list[tuple[str, bytes]]) -> bytes:
        derived.append(parts)
        return keyed_hash(secret, repr(parts).encode())

    monkeypatch.setattr(kernels, "derive_seed", derive_seed)
    return derived


def test_a_proof_has_the_frames_of_the_chapter_in_their_order(derived: list[list[tuple[str, bytes]]]) -> None:
    proof_seed(Secret(bytes(32)), **ARGUMENTS)
    assert derived == [
        [
            ("seed", b"proof"),
            ("code", b"0.1.0"),
            ("key", bytes([1]) * 32),
            ("epoch", (2).to_bytes(8, "little")),
            ("counter", (5).to_bytes(8, "little")),
            ("attempt", bytes(8)),
            ("statement", bytes([2]) * 32),
            ("witness", bytes([3]) * 32),
            ("nonce", bytes([7]) * 32),
        ]
    ]


def test_everything_changes_the_seed() -> None:
    secret = Secret(bytes(32))
    reservations = [
        replace(RESERVATION, epoch=5, number=2),
        replace(RESERVATION, number=6),
        replace(RESERVATION, nonce=bytes(32)),
    ]
    arguments = [
        ARGUMENTS,
        *(ARGUMENTS | {name: value} for name, value in CHANGES.items()),
        *(ARGUMENTS | {"reservation": reservation} for reservation in reservations),
    ]
    seeds = {proof_seed(secret, **changed) for changed in arguments}
    seeds |= {proof_seed(Secret(bytes([1]) * 32), **ARGUMENTS), model_salt(secret)}
    seeds |= {tail_seed(secret, *frames) for frames in ((b"a", 0), (b"a", 1), (b"b", 0))}
    certified = ("a", bytes(32), bytes(32), 0)
    others = [("b", *certified[1:]), ("a", bytes([1] * 32), bytes(32), 0)]
    others += [("a", bytes(32), bytes([1] * 32), 0), (*certified[:3], 1)]
    seeds |= {certificate_seed(secret, *frames) for frames in (certified, *others)}
    assert len(seeds) == len(arguments) + 10
    assert {len(seed) for seed in seeds} == {32}


def test_the_same_gives_the_same() -> None:
    first, second = (proof_seed(Secret(bytes(32)), **ARGUMENTS) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "change",
    [
        {"key_digest": b""},
        {"statement_digest": bytes(31)},
        {"witness_digest": bytes(33)},
        {"attempt": -1},
        {"attempt": 1 << 64},
        {"attempt": True},
        {"reservation": replace(RESERVATION, nonce=b"")},
        {"reservation": replace(RESERVATION, epoch=-1)},
    ],
)
def test_parts_of_other_sizes_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ChoiceError):
        proof_seed(Secret(bytes(32)), **(ARGUMENTS | change))


def test_the_first_frame_is_of_one_kind_only(derived: list[list[tuple[str, bytes]]]) -> None:
    secret = Secret(bytes(32))
    proof_seed(secret, **ARGUMENTS)
    tail_seed(secret, b"parameters", 1)
    model_salt(secret)
    assert [parts[0] for parts in derived] == [("seed", kind) for kind in (b"proof", b"tail", b"model")]
    with pytest.raises(ChoiceError):
        tail_seed(secret, b"parameters", -1)


@pytest.mark.parametrize(
    "frames", [(bytes(31), bytes(32)), (bytes(32), bytes(33)), (bytes(32), bytes(32), -1)]
)
def test_a_certificate_needs_digests_and_an_attempt(frames: Any) -> None:
    with pytest.raises(ChoiceError):
        certificate_seed(Secret(bytes(32)), "code", *frames)
