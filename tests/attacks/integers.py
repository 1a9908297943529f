"""Encodings of public integers that no honest statement has."""

from __future__ import annotations

from collections.abc import Iterable


def encode_wide(values: Iterable[int]) -> bytes:
    """Rice's code of any integers, for k = 3, whether it is short or not."""
    zigzags = [2 * value if value >= 0 else -2 * value - 1 for value in values]
    bits = "".join("1" * (z >> 3) + "0" + format(z & 7, "03b")[::-1] for z in zigzags)
    return bytes([1 + 3, *(int(bits[start : start + 8][::-1], 2) for start in range(0, len(bits), 8))])
