"""The few operations on extension elements that a prover in plain Python is made of.

Vectors are lists; variable 0 of a hypercube is the top bit of an index.
"""

from __future__ import annotations

from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import Extension, ExtensionVector

EXTENSION_DEGREE = 5

GENERATOR = 3
"""Of the multiplicative group modulo p."""

ZERO = Extension(0)
ONE = Extension(1)

Values = list[Extension]

BASIS: Values = [Extension.from_bytes(bytes([*[0] * 4 * k, 1, *[0] * (19 - 4 * k)])) for k in range(5)]
"""1, Y, ..., Y^4: the elements whose one coordinate is 1."""


def listed(vector: ExtensionVector) -> Values:
    return [vector[index] for index in range(len(vector))]


def dot(left: Values, right: Values) -> Extension:
    total = ZERO
    for a, b in zip(left, right, strict=True):
        total += a * b
    return total


def inverse(value: Extension) -> Extension:
    """value^(p^5 - 2), the inverse of all but zero; an exponent of the kernels has 64 bits."""
    exponent, result = MODULUS**EXTENSION_DEGREE - 2, ONE
    while exponent:
        result *= value ** (exponent & 0xFFFFFFFF)
        value, exponent = value ** (1 << 32), exponent >> 32
    return result


def halves(values: Values) -> tuple[Values, Values]:
    return values[: len(values) // 2], values[len(values) // 2 :]


def fold(values: Values, challenge: Extension) -> Values:
    """The top variable bound to the challenge."""
    low, high = halves(values)
    return [a + challenge * (b - a) for a, b in zip(low, high, strict=True)]


def eq(point: Values) -> Values:
    return listed(ExtensionVector.eq(ExtensionVector(point)))


def bits(index: int, count: int) -> Values:
    """A corner of the hypercube."""
    return [Extension(index >> bit & 1) for bit in reversed(range(count))]


def root_of_unity(log_order: int) -> int:
    """The generator, of order 2^log_order, of the points at which a code is evaluated."""
    return pow(GENERATOR, (MODULUS - 1) >> log_order, MODULUS)


def reversed_bits(index: int, count: int) -> int:
    """The lowest bits of an index from the other end."""
    return sum((index >> bit & 1) << (count - 1 - bit) for bit in range(count))
