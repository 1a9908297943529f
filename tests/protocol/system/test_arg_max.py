"""Public indices of largest scores: what the relations say, and keys that would leave several indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import FormatError
from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.kernels import BaseVector
from deepprove_dist.protocol.system.arg_max import order_relation, selection_relation, with_indices
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.evaluate import evaluate_affine
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import (
    BATCH,
    Affine,
    ArgMax,
    Constant,
    Lookup,
    LookupTable,
    Matrix,
    PublicTensor,
    Relation,
    System,
    Tensor,
    Term,
)
from tests.protocol.naive import whole
from tests.records import replace

X, LARGEST, MARGIN, T, SCORE_COUNTS, MARGIN_COUNTS = range(6)
ROWS, SPACE = (BATCH, 3), (BATCH, 3, 5)
LOW, HIGH = -4, 4

SYSTEM = System(
    tensors=(
        Tensor("x", SPACE, Matrix.WITNESS),
        Tensor("largest", ROWS, Matrix.WITNESS),
        Tensor("margin", SPACE, Matrix.WITNESS),
        Tensor("t", ROWS, Matrix.WITNESS),
        Tensor("score counts", (9,), Matrix.WITNESS),
        Tensor("margin counts", (9,), Matrix.WITNESS),
    ),
    inputs=(PublicTensor("x", X, (3, 5), LOW, HIGH, Scale.of(1.0)),),
    outputs=(PublicTensor("t", T, (3,), 0, 4, Scale.of(1.0)),),
    tables=(LookupTable(LOW, 9, None, SCORE_COUNTS), LookupTable(0, 9, None, MARGIN_COUNTS)),
    relations=(
        order_relation("order", SPACE, X, LARGEST, MARGIN),
        selection_relation("chosen", SPACE, MARGIN),
    ),
    lookups=(Lookup(0, (whole(LARGEST, ROWS),)), Lookup(1, (whole(MARGIN, SPACE),))),
    arg_maxima=(ArgMax(0, X, LARGEST, MARGIN, 0, 1),),
)


def sides(x: IntArray, t: IntArray, largest: IntArray, margin: IntArray) -> tuple[IntArray, IntArray]:
    """What order and selection leave over, for samples [B, 3, 5]; 0 where the relations hold."""
    fixed = SYSTEM.for_batch(len(x))
    stated = with_indices(fixed, {"t": BaseVector.from_array(t.reshape(-1))})
    tensors = {X: x, LARGEST: largest, MARGIN: margin, T: t}
    order, selection = (stated.relations[number] for number in (0, 1))
    (part,) = selection.products
    left, right = (evaluate_affine(stated, factor.value, tensors) for factor in (part.left, part.right))
    return evaluate_affine(stated, order.affine, tensors), (left * right).sum(axis=-1)


def honest(x: IntArray, t: IntArray) -> tuple[IntArray, IntArray]:
    """The score at t, and what the order leaves for margins: modulo p, whether or not t is right."""
    largest = np.take_along_axis(x, t[..., None], -1)
    return largest[..., 0], largest - x - (np.arange(5) < t[..., None])


def test_the_relations_hold_for_the_first_largest_score_alone() -> None:
    generator = np.random.default_rng(0)
    for batch in (1, 2):
        x = generator.integers(LOW, HIGH + 1, (batch, 3, 5))
        x[0, 0] = 3
        right = x.argmax(axis=-1)
        for t in (right, (right + 1) % 5, np.zeros_like(right), np.full_like(right, 4)):
            largest, margin = honest(x, t)
            left_over, selected = sides(x, t, largest, margin)
            assert not left_over.any()
            assert not selected.any()
            # Where another index is stated, some margin is in no table.
            assert ((margin >= 0).all(axis=-1) == (t == right)).all()
        assert sides(x, right, x.max(axis=-1) + 1, honest(x, right)[1] + 1)[1].all()


def test_a_statement_puts_two_brackets_in_and_nothing_else() -> None:
    fixed = SYSTEM.for_batch(1)
    stated = with_indices(fixed, {"t": BaseVector.from_array(np.array([0, 4, 2]))})
    assert replace(stated, relations=()) == replace(fixed, relations=())
    order, selection = stated.relations
    assert [constant.value for constant in order.affine.constants] == [-1, -1]
    assert len(selection.products[0].left.value.constants) == 3
    bare = replace(order, affine=replace(order.affine, constants=()))
    assert bare == fixed.relations[0]


def test_the_system_that_the_others_break_is_valid() -> None:
    check(SYSTEM)


def item(**changes: int) -> Callable[[System], System]:
    return lambda system: replace(system, arg_maxima=(replace(system.arg_maxima[0], **changes),))


def tensor(index: int, **changes: Any) -> Callable[[System], System]:
    def change(system: System) -> System:
        tensors = list(system.tensors)
        tensors[index] = replace(tensors[index], **changes)
        return replace(system, tensors=tuple(tensors))

    return change


def relation(index: int, change: Callable[[Relation], Relation]) -> Callable[[System], System]:
    def changed(system: System) -> System:
        relations = list(system.relations)
        relations[index] = change(relations[index])
        return replace(system, relations=tuple(relations))

    return changed


def output(**changes: Any) -> Callable[[System], System]:
    return lambda system: replace(system, outputs=(replace(system.outputs[0], **changes),))


def margins_up_to(last: int) -> Callable[[System], System]:
    """A table of that many margins, and as many counts."""

    def change(system: System) -> System:
        tables = (system.tables[0], replace(system.tables[1], size=last + 1))
        return tensor(MARGIN_COUNTS, shape=(last + 1,))(replace(system, tables=tables))

    return change


def of_weights(system: System) -> System:
    """Weights as scores: nothing is known of their range."""
    weights = Tensor("w", (3, 5), Matrix.WEIGHTS)
    changed = replace(system, tensors=(*system.tensors, weights))
    return item(scores=len(system.tensors))(changed)


def of_negative_margins(system: System) -> System:
    return replace(system, tables=(system.tables[0], replace(system.tables[1], first=-1)))


def without_lookup(index: int) -> Callable[[System], System]:
    return lambda system: replace(system, lookups=system.lookups[:index] + system.lookups[index + 1 :])


def constants(relation: Relation) -> Relation:
    return replace(relation, affine=replace(relation.affine, constants=(Constant(1),)))


def term(index: int, **changes: Any) -> Callable[[Relation], Relation]:
    def change(relation: Relation) -> Relation:
        terms = list(relation.affine.terms)
        terms[index] = replace(terms[index], **changes)
        return replace(relation, affine=replace(relation.affine, terms=tuple(terms)))

    return change


def doubled(relation: Relation) -> Relation:
    return replace(relation, products=relation.products * 2)


def negated(relation: Relation) -> Relation:
    (part,) = relation.products
    return replace(relation, products=(replace(part, coefficient=-1),))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda system: replace(system, arg_maxima=()), "do not determine tensor"),
        (lambda system: replace(system, arg_maxima=system.arg_maxima * 2), "that it shares or lacks"),
        (item(order=1), "that it shares or lacks"),
        (item(order=-1), "that it shares or lacks"),
        (item(selection=2), "that it shares or lacks"),
        (item(order=1, selection=0), "another order"),
        (item(output=1), "is no output"),
        (item(output=-1), "is no output"),
        (item(scores=MARGIN), "of no scores"),
        (item(scores=-6), "of no scores"),
        (item(largest=9), "of no scores"),
        (item(margin=X, scores=MARGIN), "another order"),
        (item(largest=SCORE_COUNTS), "another order"),
        (item(scores=SCORE_COUNTS), "of another shape"),
        (tensor(T, shape=(BATCH, 1, 3)), "of another shape"),
        (of_weights, "not of the witness"),
        (tensor(MARGIN, shape=(BATCH, 3, 6)), "an axis of another size"),
        (output(lo=-1), "is not an index"),
        (output(hi=5), "is not an index"),
        (output(hi=3), "is not an index"),
        (relation(0, constants), "another order"),
        (relation(0, term(0, coefficient=2)), "another order"),
        (relation(0, term(1, tensor=MARGIN)), "another order"),
        (relation(0, term(2, coefficient=1)), "another order"),
        (relation(1, constants), "another selection"),
        (relation(1, doubled), "another selection"),
        (relation(1, negated), "another selection"),
        (without_lookup(0), "without a proven range"),
        (without_lookup(1), "without a proven range"),
        (of_negative_margins, "that leave several indices"),
        (margins_up_to((MODULUS - 1) // 2), "that leave several indices"),
        (margins_up_to(MODULUS // 2 - 1), None),
    ],
)
def test_a_key_that_leaves_several_indices_is_refused(
    change: Callable[[System], System], sentence: str | None
) -> None:
    broken = change(SYSTEM)
    if sentence is None:
        check(broken)
        return
    with pytest.raises(FormatError, match=sentence):
        check(broken)


def scores_up_to(last: int) -> Callable[[System], System]:
    return lambda system: replace(system, inputs=(replace(system.inputs[0], lo=-last, hi=last),))


def largest_from(first: int) -> Callable[[System], System]:
    """A table of largest scores from there to its end."""

    def change(system: System) -> System:
        size = HIGH - first + 1
        tables = (replace(system.tables[0], first=first, size=size), system.tables[1])
        return tensor(SCORE_COUNTS, shape=(size,))(replace(system, tables=tables))

    return change


def lowered_scores(by: int) -> Callable[[System], System]:
    """Scores that are an input of [0, 8] less a constant."""

    def change(system: System) -> System:
        number = len(system.tensors)
        terms = (Term(1, number, (0, 1, 2)), Term(-1, X, (0, 1, 2)))
        lowered = Relation("lowered", Affine(SPACE, terms, (Constant(-by),)), (), 0, 0)
        return replace(
            system,
            tensors=(*system.tensors, Tensor("y", SPACE, Matrix.WITNESS)),
            inputs=(PublicTensor("y", number, (3, 5), 0, 8, Scale.of(1.0)),),
            relations=(*system.relations, lowered),
        )

    return change


@pytest.mark.parametrize(
    ("changes", "wraps"),
    [
        # A score less the least largest score, and a margin of at most 8 and a bracket.
        ((scores_up_to(LARGEST_SIGNED), largest_from(LARGEST_SIGNED + 8 + 1 - MODULUS + 1)), False),
        ((scores_up_to(LARGEST_SIGNED), largest_from(LARGEST_SIGNED + 8 + 1 - MODULUS)), True),
        # The largest score of all less the least score.
        ((lowered_scores(MODULUS - 1 - HIGH),), False),
        ((lowered_scores(MODULUS - HIGH),), True),
    ],
)
def test_an_order_cannot_wrap(changes: tuple[Callable[[System], System], ...], wraps: bool) -> None:
    """Else a score could be larger by a multiple of p than the one that counts as the largest."""
    system = SYSTEM
    for change in changes:
        system = change(system)
    if not wraps:
        check(system)
        return
    with pytest.raises(FormatError, match="has an order that could wrap"):
        check(system)


def test_two_outputs_have_an_index_each() -> None:
    """Nor may one output be the index of two rows of scores."""
    again = order_relation("again", SPACE, X, LARGEST, MARGIN), selection_relation("twice", SPACE, MARGIN)
    twice = replace(
        SYSTEM,
        relations=SYSTEM.relations + again,
        arg_maxima=(*SYSTEM.arg_maxima, ArgMax(0, X, LARGEST, MARGIN, 2, 3)),
    )
    with pytest.raises(FormatError, match="is no output, or one twice"):
        check(twice)


def test_scores_have_to_be_known() -> None:
    """They are no input here, and nothing else determines them."""
    other = Tensor("z", SPACE, Matrix.WITNESS)
    inputs = (replace(SYSTEM.inputs[0], tensor=len(SYSTEM.tensors)),)
    lookups = (*SYSTEM.lookups, Lookup(0, (whole(X, SPACE),)))
    free = replace(SYSTEM, tensors=(*SYSTEM.tensors, other), inputs=inputs, lookups=lookups)
    with pytest.raises(FormatError, match="do not determine tensor 'x' and 3 more"):
        check(free)


def test_a_hidden_index_is_refused() -> None:
    hidden = tensor(T, matrix=Matrix.HIDDEN)(SYSTEM)
    with pytest.raises(FormatError, match=r"hidden"):
        check(hidden)
