"""Reservations differ in their nonces, whatever their numbers."""

from __future__ import annotations

from deepprove_dist.randomness.reservation import NONCE_BYTES, Reservation


def test_equal_numbers_have_other_nonces() -> None:
    drawn = [Reservation.draw(3, 7) for _ in range(50)]
    assert {(reservation.epoch, reservation.number) for reservation in drawn} == {(3, 7)}
    assert len({reservation.nonce for reservation in drawn}) == 50
    assert {len(reservation.nonce) for reservation in drawn} == {NONCE_BYTES}


def test_a_nonce_is_not_in_texts() -> None:
    assert repr(Reservation(1, 2, bytes(32))) == "Reservation(epoch=1, number=2)"
