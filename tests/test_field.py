"""The field and its extension against plain integers: F = Z/p, and F[X] / (X^5 + X^2 - 1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import Extension, domain_points

DEGREE = 5
POLYNOMIAL = (MODULUS - 1, 0, 1, 0, 0, 1)
TWO_ADICITY = 24

Polynomial = tuple[int, ...]
"""Coefficients, the constant one first."""

ELEMENTS = st.tuples(*[st.integers(0, MODULUS - 1)] * DEGREE)


def trimmed(polynomial: Polynomial) -> Polynomial:
    while polynomial and polynomial[-1] == 0:
        polynomial = polynomial[:-1]
    return polynomial


def remainder(dividend: Polynomial, divisor: Polynomial) -> Polynomial:
    inverse = pow(divisor[-1], -1, MODULUS)
    dividend = trimmed(dividend)
    while len(dividend) >= len(divisor):
        factor, offset = dividend[-1] * inverse, len(dividend) - len(divisor)
        shifted = (*[0] * offset, *(factor * c for c in divisor))
        dividend = trimmed(tuple((a - b) % MODULUS for a, b in zip(dividend, shifted, strict=True)))
    return dividend


def product(left: Polynomial, right: Polynomial) -> Polynomial:
    """Modulo the extension's polynomial."""
    result = [0] * (len(left) + len(right))
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            result[i + j] = (result[i + j] + a * b) % MODULUS
    return remainder(tuple(result), POLYNOMIAL)


def power(base: Polynomial, exponent: int) -> Polynomial:
    result: Polynomial = (1,)
    for bit in f"{exponent:b}":
        result = product(result, result)
        result = product(result, base) if bit == "1" else result
    return result


def encoded(polynomial: Polynomial) -> bytes:
    coefficients = (*polynomial, *[0] * (DEGREE - len(polynomial)))
    return b"".join(c.to_bytes(4, "little") for c in coefficients)


def test_the_modulus_is_prime() -> None:
    """p - 1 = 2^24 * 127, and 3 has this order (Lucas)."""
    assert MODULUS - 1 == 127 << TWO_ADICITY
    assert pow(3, MODULUS - 1, MODULUS) == 1
    assert pow(3, (MODULUS - 1) // 2, MODULUS) != 1
    assert pow(3, (MODULUS - 1) // 127, MODULUS) != 1


def test_the_polynomial_is_irreducible() -> None:
    """It divides X^(p^5) - X, and has no factor in common with X^p - X (Rabin; 5 is prime)."""
    x = (0, 1)
    assert power(x, MODULUS**DEGREE) == x
    difference = power(x, MODULUS)
    difference = trimmed((difference[0], (difference[1] - 1) % MODULUS, *difference[2:]))
    dividend: Polynomial = POLYNOMIAL
    divisor = difference
    while divisor:
        dividend, divisor = divisor, remainder(dividend, divisor)
    assert len(dividend) == 1


@given(left=ELEMENTS, right=ELEMENTS)
def test_arithmetic_is_that_of_polynomials(left: Polynomial, right: Polynomial) -> None:
    a, b = (Extension.from_bytes(encoded(element)) for element in (left, right))
    total = tuple((x + y) % MODULUS for x, y in zip(left, right, strict=True))
    difference = tuple((x - y) % MODULUS for x, y in zip(left, right, strict=True))
    assert bytes(a * b) == encoded(product(left, right))
    assert bytes(a + b) == encoded(total)
    assert bytes(a - b) == encoded(difference)
    assert bytes(a**5) == encoded(power(trimmed(left), 5))


@pytest.mark.parametrize("log_order", range(1, TWO_ADICITY + 1))
def test_points_of_codes_are_powers_of_a_root_of_unity(log_order: int) -> None:
    order = 1 << log_order
    positions = [0, 1, 2, order // 2, order - 1]
    points = domain_points(log_order, positions).to_array().tolist()
    root = points[1]
    assert pow(root, order // 2, MODULUS) == MODULUS - 1
    assert points == [pow(root, position, MODULUS) for position in positions]
