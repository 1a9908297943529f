"""The prime field that integer models must fit into: KoalaBear, p = 2^31 - 2^24 + 1."""

MODULUS = 2**31 - 2**24 + 1

EXTENSION_DEGREE = 5
"""Challenges are from an extension of this degree."""

LARGEST_SIGNED = (MODULUS - 1) // 2
"""Integers in [-LARGEST_SIGNED, LARGEST_SIGNED] are distinct modulo p."""
