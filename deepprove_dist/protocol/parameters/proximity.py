"""Reed-Solomon codes in the Johnson regime: agreement, list size, and the error of folding.

A code of rate rho is used at agreement alpha = (1 + 1/(2m)) sqrt(rho). The integer m >= 3 belongs to the
analysis and not to the protocol: each bound holds for every m, and the account takes a good one for each
code.

1. List size (Johnson bound, for any alphabet and hence for interleaved codes): at most m / rho codewords
   agree with a word on a fraction alpha; this is 1 / (2 eta sqrt(rho)) with eta = sqrt(rho) / (2m).
2. Lines: for words u0, u1 at most

       a = (2 t^5 + 3 t gamma rho) / (3 rho^(3/2)) * n + t / sqrt(rho),   t = m + 1/2, gamma = 1 - alpha

   challenges z are exceptional: for every other z, each codeword that agrees with (1 - z) u0 + z u1 on a set
   of alpha n places comes from codewords that agree with u0 and u1 on that set (mutual correlated agreement).
   Ben-Sasson, Carmon, Haboeck, Kopparty, Saraf, eprint 2025/2055, Theorem 1.5, gives the count; Haboeck,
   eprint 2025/2110, shows that it holds for mutual correlated agreement.
3. Interleaved words: s columns are one word over an extension of degree s of the challenge field. Its code
   has the same places, dimension and rate, and a does not depend on the size of the field: folding any number
   of column pairs with one challenge costs the same a.
"""

from __future__ import annotations

from math import log2, sqrt

MIN_LIST_PARAMETER = 3
MAX_LIST_PARAMETER = 1000


def agreement_log2(log_inverse_rate: int, m: int) -> float:
    """log2 of alpha, the chance that one query misses a word which agrees nowhere on more than alpha."""
    return log2(1 + 0.5 / m) - 0.5 * log_inverse_rate


def list_size_log2(log_inverse_rate: int, m: int) -> float:
    """log2 of the Johnson bound m / rho on the list size."""
    return log2(m) + log_inverse_rate


def exceptional_challenges_log2(log_length: int, log_inverse_rate: int, m: int) -> float:
    """log2 of a, the number of exceptional challenges of a line of words of length 2^log_length."""
    rate = 2.0**-log_inverse_rate
    root = sqrt(rate)
    gamma = 1 - (1 + 0.5 / m) * root
    t = m + 0.5
    return log2((2 * t**5 + 3 * t * gamma * rate) / (3 * rate * root) * 2.0**log_length + t / root)
