"""Lookups of expressions: one padded block of leaves each, and claims about the tensors in them."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import BaseVector, Extension, Pool, Transcript
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.claims.layout import lay_out
from deepprove_dist.protocol.claims.sent import Pads
from deepprove_dist.protocol.lookup.leaves import PartLeaves
from deepprove_dist.protocol.lookup.prove import LocalFractions, count_rows, prove_lookups
from deepprove_dist.protocol.lookup.tree import (
    Challenges,
    ExpressionRow,
    StoredRow,
    claim_leaves,
    lay_out_leaves,
    table_columns,
)
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import (
    Affine,
    Constant,
    Lookup,
    LookupTable,
    Matrix,
    System,
    Tensor,
    Term,
    axis_bits,
)
from deepprove_dist.protocol.system.table import Table
from tests.protocol.lookup.leaves import fractions
from tests.protocol.lookup.test_lookup import leaf_values, verified
from tests.protocol.naive import (
    Values,
    addresses,
    affine_values,
    challenges,
    eq,
    holds,
    integers,
    items,
    whole,
)
from tests.protocol.system.random_expressions import expressions
from tests.records import replace

POOL = Pool(1)
FUNCTION = Table.from_values(-4, np.arange(11) ** 2 % 7)
VALUE, SQUARE, RANGE = range(3)


def with_lookups(draw: st.DrawFn, tensors: list[Tensor], space: Shape) -> list[Lookup]:
    """A pair and a single value, each an expression with a stored tensor that the values are put in."""
    lookups = []
    for table, width in ((0, 2), (1, 1), (0, 2)):
        columns = []
        for column in range(width):
            tensors.append(Tensor("own", space, Matrix.WITNESS))
            free = whole(len(tensors) - 1, space)
            if column == 0 or draw(st.booleans()):
                other = draw(expressions(space, tensors))
                free = replace(other, terms=(*other.terms, *free.terms))
            columns.append(free)
        lookups.append(Lookup(table, tuple(columns)))
    return lookups


@st.composite
def systems(draw: st.DrawFn) -> System:
    """Lookups of expressions over two index spaces, and one of stored tensors; then both multiplicities."""
    tensors: list[Tensor] = []
    lookups = []
    for _ in range(draw(st.integers(1, 2))):
        space = tuple(draw(st.lists(st.integers(1, 5), max_size=3)))
        lookups += with_lookups(draw, tensors, space)
    tensors += [Tensor("stored", (5,), Matrix.WITNESS)] * 2
    stored = tuple(whole(len(tensors) - back, (5,)) for back in (2, 1))
    tensors = [replace(tensor, matrix=Matrix.WITNESS) for tensor in tensors]
    tensors += [Tensor("counts", (11,), Matrix.WITNESS), Tensor("counts", (8,), Matrix.WITNESS)]
    tables = (
        LookupTable(-4, 11, FUNCTION, len(tensors) - 2),
        LookupTable(0, 8, None, len(tensors) - 1),
    )
    return System(tuple(tensors), (), (), tables, (), (*lookups, Lookup(0, stored)))


def values_of(system: System, seed: int) -> dict[int, IntArray]:
    """Random values; each column's own tensor makes it a value of the table."""
    generator = np.random.default_rng(seed)
    values: dict[int, IntArray] = {
        index: integers(seed + index, tensor.shape, bound=9) for index, tensor in enumerate(system.tensors)
    }
    for lookup in system.lookups:
        table = system.tables[lookup.table]
        rows = generator.integers(0, table.size, lookup.columns[0].space)
        for column, entries in zip(lookup.columns, table_columns(table), strict=True):
            others = replace(column, terms=column.terms[:-1])
            free = column.terms[-1].tensor
            values[free] = np.array(entries[rows] - affine_values(system, others, values))
    return {**values, **count_rows(system, values)}


@settings(max_examples=60)
@given(system=systems())
def test_leaves_are_apart_and_aligned(system: System) -> None:
    leaves = lay_out_leaves(system, lay_out(system, 5))
    indices: list[int] = []
    for row, lookup in zip(leaves.rows, system.lookups, strict=False):
        assert isinstance(row, ExpressionRow) == (lookup.stored is None)
    for row in leaves.rows:
        if isinstance(row, StoredRow):
            blocks = list(zip(row.leaves, (block.log_size for block in row.blocks), strict=True))
        else:
            blocks = [(row.leaf, row.log_size)]
            assert row.log_size == sum(map(axis_bits, row.space))
            assert row.fractions == prod(row.space)
        for leaf, log in blocks:
            assert leaf % (1 << log) == 0
            indices += range(leaf, leaf + (1 << log))
    assert sorted(indices) == list(range(len(indices)))
    assert len(indices) <= 1 << leaves.levels


@settings(max_examples=60)
@given(system=systems(), seed=st.integers(0, 2**32))
def test_claims_about_leaves_are_those_of_the_definition(system: System, seed: int) -> None:
    layout = lay_out(system, 5)
    leaves, values = lay_out_leaves(system, layout), values_of(system, seed)
    drawn = Challenges(*items(challenges(seed, 2)))
    point = challenges(seed + 1, leaves.levels)
    at_point = eq(point)
    numerator, denominator = (
        sum((weight * value for weight, value in zip(at_point, side, strict=True)), Extension(0))
        for side in fractions(system, leaves, values, drawn)
    )
    claims = claim_leaves(system, leaves, drawn, leaf_values(point, numerator, denominator))
    assert all(holds(claim, system, layout, values) for claim in claims)
    claims = claim_leaves(system, leaves, drawn, leaf_values(point, numerator + 1, denominator + 1))
    assert len(claims) == 2
    assert not any(holds(claim, system, layout, values) for claim in claims)


def sent(system: System, values: Values) -> tuple[list[Claim], Values]:
    """What a verifier is left with of an honest run on these values."""
    layout = lay_out(system, 5)
    leaves = lay_out_leaves(system, layout)
    matrix = np.zeros(layout.columns[Matrix.WITNESS] << layout.log_rows, dtype=np.int64)
    for index, array in values.items():
        matrix[addresses(layout, index, system.tensors[index].shape).reshape(-1)] = array.reshape(-1)
    writer = PartLeaves(system, leaves, layout)
    tree = LocalFractions(system, leaves, writer, BaseVector.from_array(matrix), values, POOL)
    proof = prove_lookups(leaves, tree, Transcript(b"test"), Pads(0))
    return verified(system, leaves, proof), values


@settings(max_examples=60)
@given(system=systems(), seed=st.integers(0, 2**32))
def test_what_the_prover_sends_verifies_and_its_claims_hold(system: System, seed: int) -> None:
    claims, values = sent(system, values_of(system, seed))
    layout = lay_out(system, 5)
    assert len(claims) == 2
    assert all(holds(claim, system, layout, values) for claim in claims)


SMALL = System(
    tuple(
        Tensor(name, shape, Matrix.WITNESS) for name, shape in (("a", (3, 5)), ("y", (3, 5)), ("m", (11,)))
    ),
    (),
    (),
    (LookupTable(-4, 11, FUNCTION, 2),),
    (),
    (
        Lookup(
            0,
            (
                Affine((3, 5), (Term(2, 0, (0, 1)),), (Constant(-2, (IndexMap.covering((1,), 0, 2),)),)),
                whole(1, (3, 5)),
            ),
        ),
    ),
)
"""(2 a - 2 in the first two columns, y): rows of the table."""


def small_values() -> dict[int, IntArray]:
    a = integers(1, (3, 5), bound=1)
    argument = 2 * a - np.array([2, 2, 0, 0, 0])
    values = {0: a, 1: FUNCTION.apply(argument)}
    return values | count_rows(SMALL, values)


@pytest.mark.parametrize("index", [(0, 0), (1, 3), (2, 4)])
@pytest.mark.parametrize("tensor", [0, 1])
def test_a_row_outside_its_table_is_refused(tensor: int, index: tuple[int, int]) -> None:
    values = small_values()
    sent(SMALL, values)
    values[tensor][index] += 1
    with pytest.raises(VerificationError, match="fraction tree"):
        sent(SMALL, values)


def test_places_outside_the_index_space_count_for_no_row() -> None:
    """2 a - 2 would be 0, or 2 a, there, and (0, T(0)) stands in the table."""
    values = small_values()
    assert values[2].sum() == 15
    values[2][4] += 1
    with pytest.raises(VerificationError, match="fraction tree"):
        sent(SMALL, values)
