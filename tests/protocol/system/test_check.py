"""Each rule for lowered models refuses a system that breaks exactly that rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deepprove_dist.errors import FormatError
from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.protocol.system import check as rules
from deepprove_dist.protocol.system.check import check, proven_ranges
from deepprove_dist.protocol.system.ranges import affine_range
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
    Tensor,
    Term,
)
from deepprove_dist.protocol.system.table import Table
from tests.protocol.naive import whole
from tests.records import replace

X, Y, Q, R, COUNTS_Q, COUNTS_R, W, B = range(8)
RELU = Table.from_values(-32, np.clip(np.arange(-32, 32), 0, 7))

INPUT = whole(X, (BATCH, 3))
OUTPUT, QUOTIENTS, REMAINDERS = (whole(tensor, (BATCH, 2)) for tensor in (Y, Q, R))
WEIGHTS, BIAS = whole(W, (2, 3)), whole(B, (2,))

SYSTEM = System(
    tensors=(
        Tensor("x", (BATCH, 3), Matrix.WITNESS),
        Tensor("y", (BATCH, 2), Matrix.WITNESS),
        Tensor("q", (BATCH, 2), Matrix.WITNESS),
        Tensor("r", (BATCH, 2), Matrix.WITNESS),
        Tensor("counts of q", (64,), Matrix.WITNESS),
        Tensor("counts of r", (16,), Matrix.WITNESS),
        Tensor("w", (2, 3), Matrix.WEIGHTS),
        Tensor("b", (2,), Matrix.WEIGHTS),
    ),
    inputs=(PublicTensor("x", X, (1, 3), -8, 7, Scale.of(1.0)),),
    outputs=(PublicTensor("y", Y, (2,), -5, 100, Scale.of(1.0)),),
    tables=(LookupTable(-32, 64, RELU, COUNTS_Q), LookupTable(0, 16, None, COUNTS_R)),
    relations=(
        Relation(
            "dense",
            Affine(
                (BATCH, 2),
                (Term(16, Q, (0, 1)), Term(1, R, (0, 1)), Term(-1, B, (1,))),
                (Constant(-8),),
            ),
            (Product(1, (3,), (), Factor(WEIGHTS, (1, 2)), Factor(INPUT, (0, 2))),),
            -500,
            500,
        ),
    ),
    lookups=(Lookup(0, (QUOTIENTS, OUTPUT)), Lookup(1, (REMAINDERS,))),
)


def tensor(index: int, **changes: Any) -> System:
    return put("tensors", index, **changes)


def put(part: str, index: int, **changes: Any) -> System:
    """The system with an item of one of its parts changed."""
    items = list(getattr(SYSTEM, part))
    items[index] = replace(items[index], **changes)
    return replace(SYSTEM, **{part: tuple(items)})


def relation(**changes: Any) -> System:
    return put("relations", 0, **changes)


def affine(**changes: Any) -> System:
    return relation(affine=replace(SYSTEM.relations[0].affine, **changes))


def terms(*added: Term) -> System:
    return affine(terms=SYSTEM.relations[0].affine.terms + added)


def product(**changes: Any) -> System:
    return relation(products=(replace(SYSTEM.relations[0].products[0], **changes),))


def test_the_system_that_the_others_break_is_valid() -> None:
    check(SYSTEM)
    assert proven_ranges(SYSTEM) == {X: (-8, 7), Y: (0, 7), Q: (-32, 31), R: (0, 15)}
    # The bias, a tensor of weights, is not of the witness.
    assert affine_range(SYSTEM, SYSTEM.relations[0].affine, proven_ranges(SYSTEM)) == (
        -32 * 16 - 8,
        31 * 16 + 15 - 8,
    )


BROKEN: dict[str, tuple[Callable[[], System], str]] = {
    "no tensors": (lambda: replace(SYSTEM, tensors=()), "no tensor or too many"),
    "no inputs": (lambda: replace(SYSTEM, inputs=()), "a system has inputs"),
    "no outputs": (lambda: replace(SYSTEM, outputs=()), "a system has outputs"),
    "one name twice": (lambda: replace(SYSTEM, outputs=SYSTEM.outputs * 2), "name of its own"),
    "public, empty": (lambda: put("inputs", 0, shape=(-1, -3)), "another number of elements"),
    "empty axis": (lambda: tensor(W, shape=(2, 0)), "invalid shape"),
    "negative axis": (lambda: tensor(W, shape=(-2, -3)), "invalid shape"),
    "samples in weights": (lambda: tensor(B, shape=(BATCH,)), "invalid shape"),
    "samples after others": (lambda: tensor(R, shape=(2, BATCH)), "invalid shape"),
    "too many axes": (lambda: tensor(W, shape=(1,) * 17), "invalid shape"),
    "too large": (lambda: tensor(W, shape=(1 << 20, 1 << 20)), "invalid shape"),
    "public tensor nowhere": (lambda: put("inputs", 0, tensor=8), "names no tensor"),
    "public tensor below": (lambda: put("inputs", 0, tensor=-1), "names no tensor"),
    "public weights": (lambda: put("inputs", 0, tensor=W), "needs a tensor of the witness"),
    "public, one sample": (lambda: tensor(X, shape=(1, 3)), "no axis of samples"),
    "public, other size": (lambda: put("inputs", 0, shape=(1, 4)), "another number of elements"),
    "public, no range": (lambda: put("inputs", 0, lo=8), "invalid range"),
    "public, range too low": (lambda: put("inputs", 0, lo=-LARGEST_SIGNED - 1), "invalid range"),
    "public, range too high": (lambda: put("inputs", 0, hi=LARGEST_SIGNED + 1), "invalid range"),
    "shared counts": (lambda: put("tables", 1, multiplicity=COUNTS_Q), "share their multiplicities"),
    "counts nowhere": (lambda: put("tables", 1, multiplicity=99), "names no tensor"),
    "counts in weights": (lambda: put("tables", 1, multiplicity=W), "needs a tensor of the witness"),
    "counts of other size": (lambda: put("tables", 1, size=15), "differ in size"),
    "counts by sample": (lambda: tensor(COUNTS_R, shape=(BATCH, 16)), "differ in size"),
    "counts of two axes": (lambda: tensor(COUNTS_R, shape=(4, 4)), "differ in size"),
    "a row for each sample": (
        lambda: replace(put("tables", 1, size=0), tensors=tensor(COUNTS_R, shape=(BATCH,)).tensors),
        "differ in size",
    ),
    "empty table": (lambda: put("tables", 1, size=0), "differ in size"),
    "table too high": (lambda: put("tables", 1, first=LARGEST_SIGNED - 14), "do not fit the field"),
    "table too low": (lambda: put("tables", 1, first=-LARGEST_SIGNED - 1), "do not fit the field"),
    "function elsewhere": (lambda: put("tables", 0, first=-31), "different domains"),
    "lookup in no table": (lambda: put("lookups", 0, table=2), "names no table"),
    "lookup below tables": (lambda: put("lookups", 0, table=-1), "names no table"),
    "lookup too narrow": (lambda: put("lookups", 0, columns=(QUOTIENTS,)), "another width"),
    "lookup too wide": (lambda: put("lookups", 1, columns=(REMAINDERS, QUOTIENTS)), "another width"),
    "lookup of weights": (lambda: put("lookups", 1, columns=(WEIGHTS,)), "not of the witness"),
    "lookup of nothing": (lambda: put("lookups", 1, columns=(whole(8, (BATCH, 2)),)), "names no tensor"),
    "lookup of two shapes": (lambda: put("lookups", 0, columns=(QUOTIENTS, INPUT)), "differ in shape"),
    "relation without samples": (lambda: affine(space=(2, 2)), "axis of another size"),
    "relation of no space": (lambda: affine(space=()), "term on no axis"),
    "relation with samples twice": (lambda: affine(space=(BATCH, BATCH)), "invalid index space"),
    "relation over nothing": (lambda: affine(space=(BATCH, -2)), "invalid index space"),
    "relation too large": (lambda: affine(space=(BATCH, 1 << 35)), "invalid index space"),
    "term nowhere": (lambda: terms(Term(1, 8, ())), "names no tensor"),
    "term lacks an axis": (lambda: terms(Term(1, R, (0,))), "term of other axes"),
    "term of one axis twice": (lambda: terms(Term(1, R, (1, 1))), "term that follows an axis twice"),
    "term axis nowhere": (lambda: terms(Term(1, R, (0, 2))), "term on no axis"),
    "term axis below": (lambda: terms(Term(1, B, (-1,))), "term on no axis"),
    "term axis of other size": (lambda: terms(Term(1, X, (0, 1))), "axis of another size"),
    "term without a range": (lambda: replace(SYSTEM, lookups=SYSTEM.lookups[:1]), "without a proven range"),
    "term without a range in a relation of the witness": (
        lambda: replace(affine(terms=SYSTEM.relations[0].affine.terms[:2]), lookups=SYSTEM.lookups[:1]),
        "without a proven range",
    ),
    "counts as a column": (
        lambda: replace(SYSTEM, lookups=(*SYSTEM.lookups, Lookup(1, (whole(COUNTS_R, (16,)),)))),
        "multiplicity is used as a value",
    ),
    "counts by definition": (
        lambda: relation(
            affine=replace(whole(COUNTS_R, (16,)), constants=(Constant(-1),)), products=(), low=0, high=0
        ),
        "multiplicity is used as a value",
    ),
    "product over nothing": (lambda: product(contracted=(0,)), "invalid index space"),
    "product too large": (lambda: product(contracted=(1 << 35,)), "invalid index space"),
    "factor nowhere": (lambda: product(left=Factor(whole(8, (2, 3)), (1, 2))), "names no tensor"),
    "factor lacks an axis": (lambda: product(left=Factor(WEIGHTS, (1,))), "factor of other axes"),
    "factor axis nowhere": (lambda: product(left=Factor(WEIGHTS, (1, 3))), "axis of another size"),
    "factor axis of other size": (lambda: product(left=Factor(WEIGHTS, (2, 1))), "axis of another size"),
    "factor is not contracted": (lambda: product(left=Factor(BIAS, (1,))), "over different axes"),
    "neither has an output axis": (
        lambda: product(left=Factor(BIAS, (2,)), right=Factor(OUTPUT, (0, 2)), contracted=(2,)),
        "output axis in no factor",
    ),
    "empty range": (lambda: relation(low=501), "invalid range"),
    "wraps above": (lambda: relation(low=31 * 16 + 7 - MODULUS), "could wrap"),
    "wraps below": (lambda: relation(high=MODULUS - 32 * 16 - 8), "could wrap"),
    "wraps by a coefficient": (lambda: terms(Term(1 << 28, R, (0, 1))), "could wrap"),
    "wraps by a constant": (lambda: affine(constants=(Constant(MODULUS - 1),)), "could wrap"),
    "constant too large": (lambda: affine(constants=(Constant(MODULUS),)), "no field element"),
    "coefficient too large": (lambda: terms(Term(-MODULUS, B, (1,))), "no field element"),
    "range of no weights": (
        lambda: relation(affine=REMAINDERS, products=()),
        "range for weights that it has not",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_one_rule_is_refused(name: str) -> None:
    make, message = BROKEN[name]
    with pytest.raises(FormatError, match=message):
        check(make())


def test_a_factor_needs_a_proven_range() -> None:
    unbounded = replace(SYSTEM, tensors=(*SYSTEM.tensors, Tensor("free", (BATCH, 3), Matrix.WITNESS)))
    right = Factor(whole(8, (BATCH, 3)), (0, 2))
    changed = replace(SYSTEM.relations[0].products[0], right=right)
    relations = (replace(SYSTEM.relations[0], products=(changed,)),)
    with pytest.raises(FormatError, match="without a proven range"):
        check(replace(unbounded, relations=relations))


def test_contracted_axes_stand_in_one_order() -> None:
    tensors = list(SYSTEM.tensors)
    tensors[X] = replace(tensors[X], shape=(BATCH, 3, 3))
    tensors[W] = replace(tensors[W], shape=(2, 3, 3))
    weights, x = whole(W, (2, 3, 3)), whole(X, (BATCH, 3, 3))
    system = product(contracted=(3, 3), left=Factor(weights, (1, 2, 3)), right=Factor(x, (0, 2, 3)))
    public = (replace(SYSTEM.inputs[0], shape=(9,)),)
    check(replace(system, tensors=tuple(tensors), inputs=public))
    crossed = product(contracted=(3, 3), left=Factor(weights, (1, 2, 3)), right=Factor(x, (0, 3, 2)))
    with pytest.raises(FormatError, match="over different axes"):
        check(replace(crossed, tensors=tuple(tensors), inputs=public))


def test_the_bounds_of_wrapping_are_exact() -> None:
    check(relation(low=31 * 16 + 7 - (MODULUS - 1), high=500))
    check(relation(low=-500, high=MODULUS - 1 - 32 * 16 - 8))


def test_weights_give_a_linear_relation_the_range_that_the_key_says() -> None:
    check(relation(products=()))


def test_a_tensor_in_two_tables_has_the_smaller_range() -> None:
    both = replace(SYSTEM, lookups=(*SYSTEM.lookups, Lookup(1, (QUOTIENTS,))))
    assert proven_ranges(both)[Q] == (0, 15)


@pytest.mark.parametrize("direction", ["inputs", "outputs"])
def test_too_many_public_tensors_are_refused(direction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    public = getattr(SYSTEM, direction)
    many = replace(SYSTEM, **{direction: (*public, replace(public[0], name="another"))})
    check(many)
    monkeypatch.setattr(rules, "MAX_PUBLIC", 1)
    with pytest.raises(FormatError, match=f"too many {direction}"):
        check(many)


def test_too_many_tensors_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_TENSORS", 7)
    with pytest.raises(FormatError, match="no tensor or too many"):
        check(SYSTEM)
