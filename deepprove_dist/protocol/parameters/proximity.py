"""Reed-Solomon codes of rate rho in two regimes: agreement, list size, and the error of folding.

A regime belongs to the analysis and not to the protocol. Its bounds hold together: a code is used at one
agreement alpha. All its terms have the list size and the count of that alpha. The account takes the regime
with the smallest errors for each code.

1. *Johnson*: alpha = (1 + 1/(2m)) sqrt(rho) with an integer m >= 3. At most m / rho codewords agree with a
   word on a fraction alpha. This is the Johnson bound; it is for any alphabet, hence for interleaved codes.
2. *Unique decoding*: alpha = (1 + rho) / 2. Two codewords agree on less than a fraction rho of the positions.
   So at most one agrees with a word on a fraction alpha.

Folding binds words u0, u1 to (1 - z) u0 + z u1. Let some codeword agree with that on a set S of alpha n
positions. The challenge z is exceptional if that codeword is not (1 - z) v0 + z v1 of two codewords v0, v1
with u0 = v0 and u1 = v1 on S (mutual correlated agreement). With t = m + 1/2 and gamma = 1 - alpha their
number is at most

    Johnson           (2 t^5 + 3 t gamma rho) / (3 rho^(3/2)) * n + t / sqrt(rho)
    unique decoding   n

Sources of the Johnson count:

- eprint 2025/2055 (Ben-Sasson, Carmon, Haboeck, Kopparty, Saraf), Theorem 1.5;
- for the same set S, eprint 2025/2110 (Haboeck).

Sources of the count for unique decoding:

- eprint 2020/654 (Ben-Sasson, Carmon, Ishai, Kopparty, Saraf; FOCS 2020, J. ACM 2023), Theorem 4.1;
- for the same set S, WHIR, eprint 2024/1586, Lemma 4.10.

Interleaved words: s columns are one word over an extension of degree s of the challenge field. Its code has
the same positions, dimension and rate. Neither count depends on the size of the field. So folding any number
of column pairs with one challenge costs the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log2, sqrt

MIN_LIST_PARAMETER = 3
MAX_LIST_PARAMETER = 1000


@dataclass(frozen=True)
class Johnson:
    """The Johnson regime with list parameter m."""

    m: int

    def agreement_log2(self, log_inverse_rate: float) -> float:
        """log2 of alpha, the chance that one query misses a word which agrees nowhere on more than alpha."""
        return log2(1 + 0.5 / self.m) - 0.5 * log_inverse_rate

    def list_size_log2(self, log_inverse_rate: float) -> float:
        """log2 of the list size m / rho."""
        return log2(self.m) + log_inverse_rate

    def pairs_log2(self, log_inverse_rate: float) -> float:
        """log2 of the number of pairs in the list, at most half of its square."""
        return 2 * self.list_size_log2(log_inverse_rate) - 1

    def exceptional_challenges_log2(self, log_length: int, log_inverse_rate: float) -> float:
        """log2 of the number of exceptional challenges of a line of words of length 2^log_length."""
        rate = 2.0**-log_inverse_rate
        root = sqrt(rate)
        gamma = 1 - (1 + 0.5 / self.m) * root
        t = self.m + 0.5
        return log2((2 * t**5 + 3 * t * gamma * rate) / (3 * rate * root) * 2.0**log_length + t / root)

    def __str__(self) -> str:
        return f"m = {self.m}"


class RefereedJohnson(Johnson):
    """The Johnson regime with the older count of eprint 2020/654, Theorem 5.1: t^7 / (3 rho^(3/2)) * n^2.

    A measure for comparison: that theorem does not say that the set S is the same.
    """

    def exceptional_challenges_log2(self, log_length: int, log_inverse_rate: float) -> float:
        """log2 of the number of exceptional challenges of a line of words of length 2^log_length."""
        return 7 * log2(self.m + 0.5) - log2(3) + 1.5 * log_inverse_rate + 2 * log_length


@dataclass(frozen=True)
class UniqueDecoding:
    """The regime of unique decoding."""

    def agreement_log2(self, log_inverse_rate: float) -> float:
        """log2 of alpha, the chance that one query misses a word which agrees nowhere on more than alpha."""
        return log2(1 + 2.0**-log_inverse_rate) - 1

    def list_size_log2(self, log_inverse_rate: float) -> float:
        """log2 of the list size 1."""
        return 0.0

    def pairs_log2(self, log_inverse_rate: float) -> float:
        """log2 of the number of pairs in the list: there is none."""
        return -inf

    def exceptional_challenges_log2(self, log_length: int, log_inverse_rate: float) -> float:
        """log2 of the number of exceptional challenges of a line of words of length 2^log_length."""
        return float(log_length)

    def __str__(self) -> str:
        return "unique decoding"


Regime = Johnson | UniqueDecoding

JohnsonAt = Callable[[int], Johnson]
"""The Johnson regime at a list parameter, with the one count of exceptional challenges or the other."""
