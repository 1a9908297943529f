"""The numbers of products and pads, against messages and constraints written down one by one."""

from __future__ import annotations

from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.protocol.parameters import ProductChecks, round_coefficients

from .shapes import SMALL_MLP

INSTANCES = st.lists(st.tuples(st.integers(0, 12), st.integers(2, 3)), max_size=6)


def messages(instances: list[tuple[int, int]], levels: int) -> list[str]:
    """All scalars that a hiding proof pads, in their order."""
    sent = ["sum" for _ in instances]
    rounds = max((variables for variables, _ in instances), default=0)
    for index in range(rounds):
        joined = [degree for variables, degree in instances if variables >= rounds - index]
        # A round polynomial of degree d without its linear coefficient, which the claim gives.
        sent += [f"c_{power}" for power in range(max([2, *joined]) + 1) if power != 1]
    sent += ["left", "right"] * len(instances)
    for level in range(levels):
        sent += ["c_1", "c_2"] * level + ["p0", "p1", "q0", "q1"]
    rows = len(instances) + levels
    if rows:
        sent += ["c_0", "c_2", "c_3"] * ceil(log2(rows + 1))
    return sent


@given(instances=INSTANCES, levels=st.integers(0, 30))
def test_every_scalar_has_a_pad(instances: list[tuple[int, int]], levels: int) -> None:
    checks = ProductChecks(len(instances), round_coefficients(instances), levels)
    padded = messages(instances, levels)
    assert checks.padded == len(padded)
    assert checks.sent + checks.small_scalars == checks.padded
    assert checks.pad_rows == (len(padded) + 4 if padded else 0)
    assert checks.pad_values == 5 * checks.pad_rows
    assert checks.padded == (
        3 * len(instances) + checks.coefficients + levels * (levels + 3) + 3 * checks.variables
    )


@pytest.mark.parametrize(
    ("products", "levels", "constraints", "rows", "variables"),
    [
        (0, 0, 0, 0, 0),
        (1, 0, 1, 1, 1),
        (0, 1, 1, 1, 1),
        (2, 0, 1, 2, 2),
        (3, 0, 1, 3, 2),
        (4, 0, 1, 4, 3),
        (3, 13, 14, 16, 5),
        (5, 17, 18, 22, 5),
    ],
)
def test_constraints_and_their_rows(
    products: int, levels: int, constraints: int, rows: int, variables: int
) -> None:
    """One row more than there are has random values, so that 2^variables > rows."""
    checks = ProductChecks(products, 0, levels)
    assert (checks.constraints, checks.rows, checks.variables) == (constraints, rows, variables)


def test_rounds_have_the_degree_of_what_has_joined() -> None:
    assert round_coefficients([]) == round_coefficients([(0, 2), (0, 3)]) == 0
    assert round_coefficients([(4, 2)]) == 8
    assert round_coefficients([(4, 2), (2, 3)]) == 2 + 2 + 3 + 3
    assert round_coefficients([(4, 3), (2, 2)]) == 12
    assert round_coefficients([(3, 1)]) == 6


def test_a_shape_knows_its_products() -> None:
    assert SMALL_MLP.products == ProductChecks(products=4, coefficients=24, levels=13)
