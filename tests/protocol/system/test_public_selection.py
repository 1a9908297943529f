"""Rows of weights at public indices: what a statement puts into a term, and keys that say it wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import BaseVector
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.evaluate import evaluate_affine
from deepprove_dist.protocol.system.index_map import Axis, IndexMap
from deepprove_dist.protocol.system.public_selection import selecting_relations, selects, with_selections
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import (
    BATCH,
    Affine,
    Constant,
    Factor,
    Lookup,
    LookupTable,
    Matrix,
    Product,
    PublicTensor,
    Relation,
    System,
    Taps,
    Tensor,
    Term,
)
from tests.protocol.naive import whole
from tests.records import replace

IDS, WEIGHTS, ROWS, COUNTS = range(4)
POSITIONS, WIDTH, SIZE = (2, 3), 4, 5
SPACE = (BATCH, *POSITIONS, WIDTH)
BY_INPUT = IndexMap.of_input((0, 1, 2), "ids")

SYSTEM = System(
    tensors=(
        Tensor("ids", (BATCH, 6), Matrix.WITNESS),
        Tensor("w", (WIDTH, SIZE), Matrix.WEIGHTS),
        Tensor("rows", SPACE, Matrix.WITNESS),
        Tensor("counts", (16,), Matrix.WITNESS),
    ),
    inputs=(PublicTensor("ids", IDS, (1, 6), -6, 6, Scale.of(1.0)),),
    outputs=(PublicTensor("rows", ROWS, (2, 3, 4), 0, 15, Scale.of(1.0)),),
    tables=(LookupTable(0, 16, None, COUNTS),),
    relations=(
        Relation(
            "rows",
            Affine(SPACE, (Term(1, ROWS, (0, 1, 2, 3)), Term(-1, WEIGHTS, (3, BY_INPUT))), ()),
            (),
            0,
            15,
        ),
    ),
    lookups=(Lookup(0, (whole(ROWS, SPACE),)),),
)


def stated(ids: IntArray) -> System:
    system = SYSTEM.for_batch(len(ids))
    inputs = {"ids": BaseVector.from_array(ids.reshape(-1))}
    return with_selections(system, selecting_relations(system), inputs)


def test_a_statement_puts_the_indices_in_and_nothing_else() -> None:
    ids = np.random.default_rng(0).integers(-6, 7, (3, 6))
    system, fixed = stated(ids), SYSTEM.for_batch(3)
    assert replace(system, relations=()) == replace(fixed, relations=())
    (relation,), (before,) = system.relations, fixed.relations
    rows, selected = relation.affine.terms
    assert (rows, selected.coefficient) == (before.affine.terms[0], -1)
    assert replace(relation, affine=before.affine) == before
    along, axis = selected.axes
    assert along == 3
    assert isinstance(axis, IndexMap)
    assert (axis.axes, axis.first, axis.end) == ((0, 1, 2), 0, 18)
    assert axis.listed is not None
    assert not selects(relation.affine)


def test_indices_count_from_either_end_and_others_select_zeros() -> None:
    ids = np.array([[0, 4, -1, -5, 5, -6], [6, 1, 2, -2, 3, 0]])
    w = np.arange(1, 1 + WIDTH * SIZE).reshape(WIDTH, SIZE)
    padded = np.concatenate([w, np.zeros((WIDTH, 1), dtype=np.int64)], axis=1)
    expected = padded[:, np.where((ids >= -5) & (ids < 5), ids % 5, 5)].transpose(1, 2, 0)
    rows = expected.reshape(2, *POSITIONS, WIDTH)
    system = stated(ids)
    tensors: dict[int, Any] = {WEIGHTS: w, ROWS: rows}
    assert not evaluate_affine(system, system.relations[0].affine, tensors).any()
    other = ids.copy()
    other[1, 2] += 1
    moved = stated(other)
    assert evaluate_affine(moved, moved.relations[0].affine, tensors).any()


def test_a_system_without_selections_is_as_it_was() -> None:
    fixed = SYSTEM.for_batch(1)
    (relation,) = fixed.relations
    bare = replace(relation.affine, terms=relation.affine.terms[:1])
    plain = replace(fixed, relations=(replace(relation, affine=bare),))
    assert selecting_relations(plain) == ()
    assert selecting_relations(fixed) == (0,)
    assert with_selections(plain, (), {}) == plain


def test_the_system_that_the_others_break_is_valid() -> None:
    check(SYSTEM)


def axis(value: Axis) -> Callable[[System], System]:
    return term(axes=(3, value))


def term(**changes: Any) -> Callable[[System], System]:
    """The term that selects, with other fields."""

    def change(system: System) -> System:
        (relation,) = system.relations
        rows, selected = relation.affine.terms
        affine = replace(relation.affine, terms=(rows, replace(selected, **changes)))
        return replace(system, relations=(replace(relation, affine=affine),))

    return change


def ids(**changes: Any) -> Callable[[System], System]:
    return lambda system: replace(system, inputs=(replace(system.inputs[0], **changes),))


def of_a_witness(system: System) -> System:
    """Rows of a committed tensor: what is known of it rests on its lookups."""
    table = Tensor("table", (BATCH, WIDTH, SIZE), Matrix.WITNESS)
    changed = replace(system, tensors=(*system.tensors, table))
    return term(tensor=len(system.tensors), axes=(0, 3, IndexMap.of_input((1, 2), "ids")))(changed)


def of_no_samples(system: System) -> System:
    """As many positions as one sample has integers, beside an axis that is not that of samples."""
    vector = Tensor("vector", (SIZE,), Matrix.WEIGHTS)
    changed = replace(system, tensors=(*system.tensors, vector))
    return term(tensor=len(system.tensors), axes=(IndexMap.of_input((3, 1, 2), "ids"),))(changed)


def with_hidden_indices(system: System) -> System:
    tensors = (*system.tensors, Tensor("hidden", (BATCH, 6), Matrix.HIDDEN))
    hidden = PublicTensor("hidden", len(system.tensors), (1, 6), -6, 6, Scale.of(1.0))
    changed = replace(system, tensors=tensors, inputs=(*system.inputs, hidden))
    return axis(IndexMap.of_input((0, 1, 2), "hidden"))(changed)


def as_a_factor(system: System) -> System:
    """The selected rows, times themselves."""
    (relation,) = system.relations
    rows, selected = relation.affine.terms
    value = Factor(Affine(SPACE, (selected,), ()), (0, 1, 2, 3))
    changed = replace(
        relation,
        affine=replace(relation.affine, terms=(rows,)),
        products=(Product(1, (), (), value, value),),
    )
    return replace(system, relations=(changed,))


def in_a_lookup(system: System) -> System:
    column = replace(system.relations[0].affine, terms=system.relations[0].affine.terms[1:])
    return replace(system, lookups=(*system.lookups, Lookup(0, (column,))))


def constant(cover: IndexMap) -> Callable[[System], System]:
    """A constant at the positions that an input has."""

    def change(system: System) -> System:
        (relation,) = system.relations
        affine = replace(relation.affine, constants=(Constant(1, (cover,)),))
        return replace(system, relations=(replace(relation, affine=affine),))

    return change


def as_taps(system: System) -> System:
    """Weights that the taps of a product meet where an input says."""
    (relation,) = system.relations
    weights = Factor(Affine((WIDTH, SIZE), (Term(1, WEIGHTS, (0, 1)),), ()), (3, 4))
    taps = Factor(Affine((1,), (), (Constant(1),)), (5,))
    product = Product(1, (SIZE,), (Taps(0, BY_INPUT),), weights, taps)
    affine = replace(relation.affine, terms=relation.affine.terms[:1])
    return replace(system, relations=(replace(relation, affine=affine, products=(product,)),))


def beside(system: System) -> System:
    """A further axis of a term, which is to cover positions only."""
    return term(axes=(3, 0, BY_INPUT))(system)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (axis(IndexMap.of_input((0, 1, 2), "rows")), "not those of a public input"),
        (axis(IndexMap.of_input((0, 1, 2), "")), "not those of a public input"),
        (axis(IndexMap.of_input((0, 1), "ids")), "not those of a public input"),
        (axis(IndexMap.of_input((1, 2), "ids")), "not those of a public input"),
        (axis(IndexMap.of_input((1, 0, 2), "ids")), "not those of a public input"),
        (axis(IndexMap.of_input((), "ids")), "not those of a public input"),
        (axis(IndexMap.of_input((0, 1, 9), "ids")), "a term on no axis"),
        (axis(IndexMap.of_input((0, 1, -2), "ids")), "a term on no axis"),
        (axis(IndexMap.of_input((0, 1, 1), "ids")), "follows an axis twice"),
        (axis(replace(BY_INPUT, first=1)), "not those of a public input"),
        (axis(replace(BY_INPUT, end=6)), "not those of a public input"),
        (axis(replace(BY_INPUT, stride=1)), "not those of a public input"),
        (axis(replace(BY_INPUT, taps=2)), "not those of a public input"),
        (axis(replace(BY_INPUT, dilation=2)), "not those of a public input"),
        (axis(replace(BY_INPUT, scale=(1,) * 6)), "not those of a public input"),
        (ids(name="others"), "not those of a public input"),
        (of_no_samples, "not those of a public input"),
        (of_a_witness, "but not of weights"),
        (with_hidden_indices, "not those of a public input"),
        (as_a_factor, "a factor that public indices select"),
        (in_a_lookup, "not of the witness"),
        (beside, "a term of other axes"),
        (constant(BY_INPUT), "a constant with a map of samples"),
        (constant(IndexMap.of_input((1, 2), "ids")), "a constant with the indices of an input"),
        (as_taps, "taps with a list of indices"),
    ],
)
def test_what_is_no_selection_of_weights_is_refused(
    change: Callable[[System], System], sentence: str
) -> None:
    with pytest.raises(FormatError, match=sentence):
        check(change(SYSTEM))
