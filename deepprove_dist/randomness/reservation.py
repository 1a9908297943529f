"""One proof of a budget."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

NONCE_BYTES = 32


@dataclass(frozen=True)
class Reservation:
    """The right to publish one proof; it is used up whatever becomes of that proof.

    A proof that did not verify, and that nobody has seen, may be made again with it: under the next attempt.

    Attributes:
        epoch: of the key.
        number: of the proof in its epoch, from 0. No two reservations of an epoch have the same.
        nonce: 32 bytes of the operating system. They differ even where a restored disk repeats a number.
    """

    epoch: int
    number: int
    nonce: bytes = field(repr=False)

    @classmethod
    def draw(cls, epoch: int, number: int) -> Reservation:
        """A reservation with new bytes of the operating system."""
        return cls(epoch, number, secrets.token_bytes(NONCE_BYTES))
