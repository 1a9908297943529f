"""What the security of a key's parameters is, term by term, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.parameters import (
    HASH_COLLISION_BITS,
    ErrorTerm,
    Johnson,
    code_regimes,
    error_terms,
    largest_round_bits,
    refereed_bits,
    require_security,
)


@dataclass(frozen=True)
class SecurityReport:
    """The level of a key.

    Attributes:
        terms: every error 2^-bits of the protocol, with the formula that it comes from.
        required_bits: the level that the key was made for.
        total_bits: all errors of the protocol together.
        largest_round_bits: the largest errors that an adversary can try again, one hash a try.
        total_bits_by_older_count: as `total_bits`, with the refereed count of eprint 2020/654 in place of
            that of a preprint.
        hash_collision_bits: log2 of the hashes that a collision takes.
        rests_on: the assumptions, one sentence each.
    """

    terms: tuple[ErrorTerm, ...]
    required_bits: int
    total_bits: float
    largest_round_bits: float
    total_bits_by_older_count: float
    hash_collision_bits: int
    rests_on: tuple[str, ...]


def security_report(key: KeyContent) -> SecurityReport:
    """The security of a key's parameters."""
    terms = error_terms(key.schedule, key.shape)
    largest, older = largest_round_bits(terms), refereed_bits(key.schedule, key.shape)
    return SecurityReport(
        terms=terms,
        required_bits=key.schedule.security_bits,
        total_bits=require_security(key.schedule, key.shape),
        largest_round_bits=largest,
        total_bits_by_older_count=older,
        hash_collision_bits=HASH_COLLISION_BITS,
        rests_on=_foundations(key, largest, older),
    )


def _foundations(key: KeyContent, largest: float, older: float) -> tuple[str, ...]:
    sentences = [
        "The sum is over all errors of the interactive protocol, under proven bounds, without grinding.",
        "BLAKE3 is taken for a random oracle. After Q hashes a false proof is accepted with a chance of "
        f"about Q * 2^-{largest:.2f}, Q times the largest round.",
        f"Digests have 32 bytes: a collision of hashes takes about 2^{HASH_COLLISION_BITS} of them.",
    ]
    johnson = [isinstance(regime, Johnson) for regime in code_regimes(key.schedule, key.shape)]
    if any(johnson):
        sentences.append(
            f"{_codes(johnson.count(True))} in the Johnson regime: this rests on two preprints, eprint "
            "2025/2055 and 2025/2110. By the older, refereed count of eprint 2020/654 the key has "
            f"{older:.2f} bits."
        )
    if not all(johnson):
        sentences.append(
            f"{_codes(johnson.count(False))} in the regime of unique decoding: eprint 2020/654, Theorem 4.1, "
            "refereed."
        )
    return tuple(sentences)


def _codes(count: int) -> str:
    return "One code is" if count == 1 else f"{count} codes are"
