"""A system with hidden tensors is refused where one of them is read wrongly, or its range is not shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deepprove_dist.errors import FormatError
from deepprove_dist.field import MODULUS
from deepprove_dist.protocol.parameters import MAX_HIDDEN
from deepprove_dist.protocol.system.check import check, proven_ranges
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
from tests.protocol.naive import whole
from tests.records import replace

X, COPY, Y, COUNTS = range(4)
SPACE = (BATCH, 3)


def equal(name: str, first: int, second: int) -> Relation:
    terms = (Term(1, first, (0, 1)), Term(-1, second, (0, 1)))
    return Relation(name, Affine(SPACE, terms, ()), (), 0, 0)


SYSTEM = System(
    tensors=(
        Tensor("x.hidden", SPACE, Matrix.HIDDEN),
        Tensor("x", SPACE, Matrix.WITNESS),
        Tensor("y", SPACE, Matrix.WITNESS),
        Tensor("counts", (16,), Matrix.WITNESS),
    ),
    inputs=(PublicTensor("x", X, (3,), -8, 7, Scale.of(1.0)),),
    outputs=(PublicTensor("y", Y, (3,), -8, 7, Scale.of(1.0)),),
    tables=(LookupTable(-8, 16, None, COUNTS),),
    relations=(equal("x.hidden", X, COPY), equal("y", Y, COPY)),
    lookups=(Lookup(0, (whole(COPY, SPACE),)),),
)


def test_the_system_that_the_others_break_is_valid() -> None:
    check(SYSTEM)
    assert proven_ranges(SYSTEM) == dict.fromkeys((X, COPY, Y), (-8, 7))


def square(tensor: int) -> Relation:
    factor = Factor(whole(tensor, SPACE), (0, 1))
    return Relation("square", whole(Y, SPACE), (Product(1, (), (), factor, factor),), -8, 7)


def hide(count: int) -> System:
    """The system with as many further hidden outputs, all equal to the same tensor."""
    first = len(SYSTEM.tensors)
    tensors = tuple(Tensor(f"h{k}", SPACE, Matrix.HIDDEN) for k in range(count))
    outputs = tuple(PublicTensor(f"h{k}", first + k, (3,), -8, 7, Scale.of(1.0)) for k in range(count))
    relations = tuple(equal(f"h{k}", first + k, COPY) for k in range(count))
    return replace(
        SYSTEM,
        tensors=SYSTEM.tensors + tensors,
        outputs=SYSTEM.outputs + outputs,
        relations=SYSTEM.relations + relations,
    )


def test_so_many_can_be_hidden() -> None:
    check(hide(MAX_HIDDEN - 1))


NOTHING = r"nothing shows that the hidden 'x' is in its range"
BROKEN: dict[str, tuple[Callable[[], System], str]] = {
    "no lookup": (lambda: replace(SYSTEM, lookups=()), NOTHING),
    "no relation": (lambda: replace(SYSTEM, relations=SYSTEM.relations[1:]), NOTHING),
    "a smaller range": (
        lambda: replace(SYSTEM, inputs=(replace(SYSTEM.inputs[0], hi=6),)),
        NOTHING,
    ),
    "a range that ends later at one end": (
        lambda: replace(SYSTEM, inputs=(replace(SYSTEM.inputs[0], lo=-7),)),
        NOTHING,
    ),
    "twice the tensor": (
        lambda: replace(
            SYSTEM,
            relations=(replace(SYSTEM.relations[0], affine=doubled()), *SYSTEM.relations[1:]),
        ),
        NOTHING,
    ),
    "no public one": (
        lambda: replace(SYSTEM, tensors=(*SYSTEM.tensors, Tensor("h", SPACE, Matrix.HIDDEN))),
        "each hidden tensor is that of one input or output",
    ),
    "one for two": (
        lambda: replace(SYSTEM, outputs=(*SYSTEM.outputs, replace(SYSTEM.outputs[0], name="h", tensor=X))),
        "each hidden tensor is that of one input or output",
    ),
    "too many": (lambda: hide(MAX_HIDDEN), "hides at most 16"),
    "in a product": (
        lambda: replace(SYSTEM, relations=(*SYSTEM.relations, square(X))),
        "multiplies, and has a hidden tensor",
    ),
    "beside a product": (
        lambda: replace(SYSTEM, relations=(*SYSTEM.relations, replace(square(COPY), affine=whole(X, SPACE)))),
        "multiplies, and has a hidden tensor",
    ),
    "in a lookup": (
        lambda: replace(SYSTEM, lookups=(*SYSTEM.lookups, Lookup(0, (whole(X, SPACE),)))),
        "not of the witness",
    ),
    "of weights": (
        lambda: replace(SYSTEM, inputs=(replace(SYSTEM.inputs[0], tensor=4),), tensors=with_weights()),
        "needs a tensor of the witness",
    ),
}


def doubled() -> Affine:
    return Affine(SPACE, (Term(2, X, (0, 1)), Term(-1, COPY, (0, 1))), ())


def with_weights() -> tuple[Tensor, ...]:
    tensors = list(SYSTEM.tensors)
    tensors[X] = replace(tensors[X], matrix=Matrix.WITNESS)
    return (*tensors, Tensor("w", (3, 1), Matrix.WEIGHTS))


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_one_rule_is_refused(name: str) -> None:
    system, message = BROKEN[name]
    with pytest.raises(FormatError, match=message):
        check(system())


def test_ranges_that_are_a_modulus_apart_do_not_meet() -> None:
    """x = p - 10 + copy modulo p, from p - 18 to p - 3: only integers a modulus apart are in both ranges."""
    far = Relation(
        "far",
        Affine(SPACE, (Term(1, X, (0, 1)), Term(-1, COPY, (0, 1))), (Constant(10 - MODULUS),)),
        (),
        0,
        0,
    )
    system = replace(SYSTEM, relations=(SYSTEM.relations[0], far, SYSTEM.relations[1]))
    assert proven_ranges(system)[X] == (-8, 7)
