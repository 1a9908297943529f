"""The fraction tree's leaves are the fractions of all lookups and tables, and its claims are about them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.errors import FormatError, VerificationError
from deepprove_dist.kernels import (
    BaseVector,
    Extension,
    ExtensionVector,
    LeafBlocks,
    Pool,
    Transcript,
)
from deepprove_dist.protocol.claims import layout as layouts
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.claims.layout import Layout, lay_out
from deepprove_dist.protocol.claims.sent import Pads, SentValue
from deepprove_dist.protocol.lookup import tree
from deepprove_dist.protocol.lookup.leaves import PartLeaves
from deepprove_dist.protocol.lookup.prove import LocalFractions, count_rows, prove_lookups
from deepprove_dist.protocol.lookup.tree import (
    Challenges,
    LeafLayout,
    LeafValues,
    StoredRow,
    claim_leaves,
    count_values,
    lay_out_leaves,
    table_columns,
    table_pieces,
)
from deepprove_dist.protocol.lookup.verify import require_denominator, verify_lookups
from deepprove_dist.protocol.products.check import require_products
from deepprove_dist.protocol.system.system import Lookup, LookupTable, Matrix, System, Tensor
from deepprove_dist.protocol.system.table import Table
from tests.protocol.lookup.leaves import fractions
from tests.protocol.naive import Values, addresses, challenges, eq, holds, inner, items, whole

POOL = Pool(1)
shapes = st.lists(st.integers(1, 6), max_size=3).map(tuple)


def example(first: Shape, second: Shape, third: Shape, size: int, bits: int) -> System:
    """Pairs (q, y) of two shapes in one table, r of a third in a range; then both tables' multiplicities."""
    shapes = (first, first, second, second, third, (size,), (1 << bits,))
    tensors = tuple(Tensor(f"x{index}", shape, Matrix.WITNESS) for index, shape in enumerate(shapes))
    function = Table.from_values(-3, np.arange(size) ** 2 % 11)
    tables = (LookupTable(-3, size, function, 5), LookupTable(0, 1 << bits, None, 6))
    lookups = tuple(
        Lookup(table, tuple(whole(column, shapes[column]) for column in columns))
        for table, columns in ((0, (0, 1)), (0, (2, 3)), (1, (4,)))
    )
    return System(tensors, (), (), tables, (), lookups)


systems = st.builds(example, shapes, shapes, shapes, st.integers(1, 20), st.integers(0, 4))


def values_of(system: System, seed: int) -> Values:
    """Random rows of the tables, and their multiplicities."""
    generator = np.random.default_rng(seed)
    values: dict[int, IntArray] = {}
    for lookup in system.lookups:
        table = system.tables[lookup.table]
        assert lookup.stored is not None
        rows = generator.integers(0, table.size, lookup.columns[0].space)
        for column, entries in zip(lookup.stored, table_columns(table), strict=True):
            values[column] = np.asarray(entries[rows])
    return values | count_rows(system, values)


def committed(system: System, layout: Layout, values: Values) -> BaseVector:
    """The witness matrix."""
    matrix = np.zeros(layout.columns[Matrix.WITNESS] << layout.log_rows, dtype=np.int64)
    for index, array in values.items():
        shape = system.tensors[index].shape
        matrix[addresses(layout, index, shape).reshape(-1)] = array.reshape(-1)
    return BaseVector.from_array(matrix)


@given(system=systems)
def test_leaves_are_apart_and_aligned(system: System) -> None:
    leaves = lay_out_leaves(system, lay_out(system, 4))
    places: list[int] = []
    for row in leaves.rows:
        assert isinstance(row, StoredRow)
        for block, leaf in zip(row.blocks, row.leaves, strict=True):
            assert leaf % (1 << block.log_size) == 0
            places += range(leaf, leaf + (1 << block.log_size))
    assert sorted(places) == list(range(leaves.fractions))
    assert leaves.fractions <= 1 << leaves.levels
    assert leaves.levels == tree.MIN_LEVELS or leaves.fractions > 1 << (leaves.levels - 1)
    assert [isinstance(row, StoredRow) and row.is_table for row in leaves.rows] == [False] * 3 + [True] * 2


@settings(max_examples=30)
@given(system=systems, seed=st.integers(0, 2**32))
def test_claims_about_leaves_are_those_of_the_definition(system: System, seed: int) -> None:
    layout = lay_out(system, 4)
    leaves = lay_out_leaves(system, layout)
    values = values_of(system, seed)
    alpha, beta = items(challenges(seed, 2))
    drawn = Challenges(alpha, beta)
    point = challenges(seed + 1, leaves.levels)
    at_point = eq(point)
    numerator, denominator = (
        sum((weight * value for weight, value in zip(at_point, side, strict=True)), Extension(0))
        for side in fractions(system, leaves, values, drawn)
    )
    claims = claim_leaves(system, leaves, drawn, leaf_values(point, numerator, denominator))
    assert len(claims) == 2
    assert all(holds(claim, system, layout, values) for claim in claims)
    claims = claim_leaves(system, leaves, drawn, leaf_values(point, numerator + 1, denominator + 1))
    assert not any(holds(claim, system, layout, values) for claim in claims)


def leaf_values(point: ExtensionVector, numerator: Extension, denominator: Extension) -> LeafValues:
    """Values that were sent without pads."""
    return LeafValues(point, SentValue(numerator), SentValue(denominator))


def proven(
    system: System,
    layout: Layout,
    leaves: LeafLayout,
    values: Values,
    pads: ExtensionVector | None = None,
) -> ExtensionVector:
    """What the prover sends, with these pads."""
    pads = ExtensionVector([]) if pads is None else pads
    writer = PartLeaves(system, leaves, layout)
    matrix = committed(system, layout, values)
    tree = LocalFractions(system, leaves, writer, matrix, values, POOL)
    return prove_lookups(leaves, tree, Transcript(b"test"), Pads(len(pads), pads))


def verified(system: System, leaves: LeafLayout, sent: ExtensionVector) -> list[Claim]:
    """The claims that values without pads end in, if they hold."""
    result = verify_lookups(system, leaves, sent, Transcript(b"test"), Pads(0))
    require_denominator(sent)
    require_products(result.products)
    return result.claims


@settings(max_examples=30)
@given(system=systems, seed=st.integers(0, 2**32))
def test_what_the_prover_sends_verifies_and_its_claims_hold(system: System, seed: int) -> None:
    layout = lay_out(system, 4)
    leaves = lay_out_leaves(system, layout)
    values = values_of(system, seed)
    claims = verified(system, leaves, proven(system, layout, leaves, values))
    assert all(holds(claim, system, layout, values) for claim in claims)


@settings(max_examples=30)
@given(system=systems, seed=st.integers(0, 2**32))
def test_padded_values_end_in_claims_and_products_of_true_values(system: System, seed: int) -> None:
    layout = lay_out(system, 4)
    leaves, values = lay_out_leaves(system, layout), values_of(system, seed)
    pads, counted = challenges(seed, count_values(leaves.levels)), Pads(count_values(leaves.levels))
    sent = proven(system, layout, leaves, values, pads)
    result = verify_lookups(system, leaves, sent, Transcript(b"test"), counted)
    assert counted.remaining == 0
    assert len(result.products) == leaves.levels
    assert all(holds(claim, system, layout, values, pads) for claim in result.claims)
    for check in result.products:
        (row,) = check.rows
        a, b, other_a, other_b = (factor.true_value(pads) for factor in row.factors)
        assert a * b + other_a * other_b == check.total.true_value(pads)
    with pytest.raises(VerificationError, match="fraction tree"):
        require_products(result.products)


@pytest.mark.parametrize("column", range(7))
def test_a_row_outside_its_table_is_refused(column: int) -> None:
    system = example((3,), (2, 2), (5,), 13, 3)
    layout = lay_out(system, 4)
    leaves = lay_out_leaves(system, layout)
    values = {index: array.copy() for index, array in values_of(system, 3).items()}
    # Of a table's 13 values none is 100; of multiplicities, any other is wrong.
    values[column].reshape(-1)[0] += 100
    sent = proven(system, layout, leaves, values)
    with pytest.raises(VerificationError, match="fraction tree"):
        verified(system, leaves, sent)


@given(size=st.integers(1, 70), first=st.integers(-50, 50), seed=st.integers(0, 2**32), linear=st.booleans())
def test_closed_forms_of_tables_are_their_extensions(size: int, first: int, seed: int, linear: bool) -> None:
    generator = np.random.default_rng(seed)
    domain = np.arange(first, first + size)
    entries = np.clip(domain, -5, 9) if linear else generator.integers(-1000, 1000, size)
    table = LookupTable(first, size, Table.from_values(first, entries), 0)
    columns, pieces = table_columns(table), table_pieces(table)
    assert [column.tolist() for column in columns] == [domain.tolist(), entries.tolist()]
    for start, log in layouts.split_axis(size):
        point = challenges(seed + start, log)
        for column, piece in zip(columns, pieces, strict=True):
            assert piece is not None
            expected = inner(column[start : start + (1 << log)], [eq(point)])
            assert LeafBlocks([[(0, log)]]).at(point).table(0, piece, [start]) == expected
    assert table_pieces(LookupTable(first, size, None, 0))[1] is None


def test_rows_are_counted_over_all_lookups_of_a_table() -> None:
    system = example((3,), (2,), (4,), 4, 2)
    q = {0: np.array([-3, 0, 0]), 2: np.array([-3, -1]), 4: np.array([3, 3, 3, 0])}
    for threads in (0, 1, 3):
        counted = count_rows(system, q, threads)
        assert {tensor: counts.tolist() for tensor, counts in counted.items()} == {
            5: [2, 0, 1, 2],
            6: [1, 0, 0, 3],
        }


def test_a_model_without_lookups_sends_no_tree() -> None:
    system = System((Tensor("x", (4,), Matrix.WITNESS),), (), (), (), (), ())
    layout = lay_out(system, 4)
    leaves = lay_out_leaves(system, layout)
    sent = proven(system, layout, leaves, {0: np.zeros(4, dtype=np.int64)})
    assert len(sent) == 0
    assert verified(system, leaves, sent) == []
    with pytest.raises(VerificationError, match="no lookups"):
        verified(system, leaves, ExtensionVector([1]))


@pytest.mark.parametrize("index", [2, 3])
def test_a_denominator_of_zero_is_refused(index: int) -> None:
    values = [Extension(1)] * 4
    require_denominator(ExtensionVector(values))
    values[index] = Extension(0)
    with pytest.raises(VerificationError, match="denominator is zero"):
        require_denominator(ExtensionVector(values))
    require_denominator(ExtensionVector([]))


def test_lookups_of_too_many_blocks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    system = example((7,), (7,), (7,), 7, 0)
    layout = lay_out(system, 4)
    monkeypatch.setattr(tree, "MAX_BLOCKS", 12)
    with pytest.raises(FormatError, match="blocks"):
        lay_out_leaves(system, layout)
