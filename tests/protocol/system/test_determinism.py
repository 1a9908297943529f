"""Each rule by which a tensor follows from inputs and weights, and systems that a change makes ambiguous."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import FormatError
from deepprove_dist.field import MODULUS
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.system.check import check, proven_ranges
from deepprove_dist.protocol.system.determinism import undetermined
from deepprove_dist.protocol.system.digits import MAX_DIGITS, covers_once
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import (
    BATCH,
    Affine,
    Lookup,
    LookupTable,
    Matrix,
    PublicTensor,
    Relation,
    System,
    Tensor,
    Term,
)
from deepprove_dist.protocol.system.table import Table
from tests.attacks.effort import bounded_effort
from tests.lowering.networks import depthwise, lenet, residual, views
from tests.lowering.test_wide_table import wide_model
from tests.protocol.naive import whole
from tests.random_models import models
from tests.random_networks import networks
from tests.records import replace

X, Y, Z = range(3)
SPACE = (BATCH, 3)
STEP = IndexMap((1,), 0, 3, offset=1)


def unknowns(
    *affines: Affine, ranges: dict[int, tuple[int, int]] | None = None, tensors: int = 2
) -> list[int]:
    """What these linear relations leave open, with an input x and further tensors of its shape."""
    return undetermined(plain(affines, tensors), ranges or {})


def plain(affines: tuple[Affine, ...], tensors: int, *lookups: Lookup) -> System:
    """Linear relations and lookups; tables are (q) and (q, |q|) for |q| < 8."""
    function = Table.from_values(-7, np.abs(np.arange(-7, 8)))
    return System(
        tensors=tuple(Tensor(f"t{index}", SPACE, Matrix.WITNESS) for index in range(tensors)),
        inputs=(PublicTensor("x", X, (3,), -8, 7, Scale.of(1.0)),),
        outputs=(),
        tables=(LookupTable(-7, 15, None, tensors), LookupTable(-7, 15, function, tensors + 1)),
        relations=tuple(Relation("relation", affine, (), 0, 0) for affine in affines),
        lookups=lookups,
    )


def total(*terms: Term) -> Affine:
    return Affine(SPACE, terms, ())


def term(coefficient: int, tensor: int) -> Term:
    return Term(coefficient, tensor, (0, 1))


def digits(*coefficients: int) -> Affine:
    """An equation of x with tensors 1, 2, ..."""
    return total(term(-1, X), *(term(c, index) for index, c in enumerate(coefficients, start=1)))


def test_inputs_are_known_and_nothing_else_is_free() -> None:
    assert unknowns() == [Y]
    assert unknowns(total(term(1, X))) == [Y]


def test_a_relation_determines_its_only_unknown() -> None:
    assert unknowns(total(term(5, Y), term(3, X), term(2, X))) == []
    assert unknowns(total(term(0, Y), term(1, X))) == [Y]
    assert unknowns(total(term(1, Y), term(1, Y), term(1, X))) == [Y]


@pytest.mark.parametrize("coefficient", [MODULUS, -MODULUS, 2 * MODULUS])
def test_a_coefficient_that_is_0_modulo_p_determines_nothing(coefficient: int) -> None:
    assert unknowns(total(term(coefficient, Y), term(1, X))) == [Y]


def test_an_unknown_has_an_element_for_each_position() -> None:
    assert covers_once((BATCH, 3), Term(1, Y, (1, 0)), (3, BATCH))
    assert covers_once((BATCH, 1, 3), Term(1, Y, (0, 2)), (BATCH, 3))
    assert covers_once((BATCH, 3, 2), Term(1, Y, (0, IndexMap((2, 1), 0, 6))), (BATCH, 6))
    assert not covers_once((BATCH, 3, 2), Term(1, Y, (0, 1)), (BATCH, 3))
    assert not covers_once((BATCH, 3, 2, 2), Term(1, Y, (0, IndexMap((2, 1), 0, 6))), (BATCH, 6))
    assert not covers_once((BATCH, 3), Term(1, Y, (1,)), (3,))
    assert not covers_once((BATCH, 3), Term(1, Y, (0, STEP)), (BATCH, 3))
    assert unknowns(total(Term(1, Y, (0, STEP)), term(1, X))) == [Y]
    assert unknowns(total(term(1, Y), Term(1, X, (0, STEP)))) == []
    # One position is one element, but which others there are a map does not say.
    assert not covers_once((BATCH, 1), Term(1, Y, (0, STEP)), (BATCH, 3))
    assert unknowns(Affine((BATCH, 1), (Term(1, Y, (0, STEP)),), ())) == [Y]


def test_several_unknowns_are_digits() -> None:
    ranges = {1: (-2, 5), 2: (0, 15), 3: (0, 3)}
    assert unknowns(digits(1, 8, 128), ranges=ranges, tensors=4) == []
    assert unknowns(digits(-1, 8, -128), ranges=ranges, tensors=4) == []
    assert unknowns(digits(128, 8, 1), ranges={1: (0, 3), 2: (0, 15), 3: (-2, 5)}, tensors=4) == []
    # The first is one too large for the second, or the second for the third; or one has no range.
    assert unknowns(digits(1, 7, 128), ranges=ranges, tensors=4) == [1, 2, 3]
    assert unknowns(digits(1, 8, 127), ranges=ranges, tensors=4) == [1, 2, 3]
    assert unknowns(digits(1, 8, 128), ranges={**ranges, 1: (-2, 6)}, tensors=4) == [1, 2, 3]
    assert unknowns(digits(1, 8, 128), ranges={1: (-2, 5), 2: (0, 15)}, tensors=4) == [1, 2, 3]
    assert unknowns(digits(1, 1), ranges={1: (0, 1), 2: (0, 1)}, tensors=3) == [1, 2]


@pytest.mark.parametrize(
    ("low", "last", "expected"), [(1, -2, []), (2, -3, []), (1, 0, [1, 2]), (2, 0, [1, 2])]
)
def test_digits_stay_below_p(low: int, last: int, expected: list[int]) -> None:
    """low + coefficient * high is p + last at most: p and more is also a smaller sum."""
    coefficient = low + 1
    high = (MODULUS + last - low) // coefficient
    assert low + coefficient * high == MODULUS + last
    ranges = {1: (0, low), 2: (0, high)}
    assert unknowns(digits(1, coefficient), ranges=ranges, tensors=3) == expected


def test_one_tensor_determined_leaves_fewer_digits() -> None:
    """The last unknowns of one relation wait for another relation, whatever their order."""
    pair, single = total(term(1, Y), term(1, Z), term(1, X)), total(term(2, Z), term(1, X))
    assert unknowns(pair, single, tensors=3) == []
    assert unknowns(single, pair, tensors=3) == []


def test_a_tensor_of_one_value_is_known() -> None:
    assert unknowns(ranges={Y: (4, 4)}) == []
    assert unknowns(digits(1, 1), ranges={1: (4, 4)}, tensors=3) == []


def test_as_many_digits_as_fit_the_field() -> None:
    assert 1 << MAX_DIGITS < MODULUS < 1 << (MAX_DIGITS + 1)
    for count, expected in ((MAX_DIGITS, []), (MAX_DIGITS + 1, [*range(1, MAX_DIGITS + 2)])):
        coefficients = [1 << index for index in range(count)]
        ranges = dict.fromkeys(range(1, count + 1), (0, 1))
        assert unknowns(digits(*coefficients), ranges=ranges, tensors=count + 1) == expected


def looked_up(table: int, *columns: Affine, relations: tuple[Affine, ...] = ()) -> list[int]:
    system = plain(relations, 3, Lookup(table, columns))
    counts = tuple(Tensor(f"counts {index}", (15,), Matrix.WITNESS) for index in range(2))
    return undetermined(replace(system, tensors=system.tensors + counts), {})


def test_a_lookup_gives_the_value_of_a_known_argument() -> None:
    x, y, z = (whole(tensor, SPACE) for tensor in (X, Y, Z))
    assert looked_up(1, x, y) == [Z]
    assert looked_up(1, total(term(2, X), Term(1, X, (0, STEP))), total(term(-3, Y), term(1, X))) == [Z]
    # The value says nothing of the argument, a range nothing of what is in it.
    assert looked_up(1, y, x) == [Y, Z]
    assert looked_up(0, y) == [Y, Z]
    # The argument waits for a relation, and must not be the value itself.
    assert looked_up(1, z, y, relations=(total(term(1, Z), term(1, X)),)) == []
    assert looked_up(1, y, y) == [Y, Z]
    assert looked_up(1, total(term(1, X), term(-1, Y)), y) == [Y, Z]
    assert looked_up(1, x, total(term(0, Y), term(1, X))) == [Y, Z]
    assert looked_up(1, x, total(Term(1, Y, (0, STEP)))) == [Y, Z]


def _is_of_limbs(system: System, table: int) -> bool:
    """Whether all that is looked up in a table are limbs; ranges of other tensors may be wider."""
    lookups = [lookup for lookup in system.lookups if lookup.table == table]
    tensors = [tensor for lookup in lookups for tensor in lookup.stored or ()]
    return all(re.search(r"\.(r\d+|low)$", system.tensors[tensor].name) for tensor in tensors)


def changed_systems(system: System) -> list[System]:
    """One relation or lookup less, or twice as many rows in the table of a limb."""
    result = []
    for part in ("relations", "lookups"):
        items = getattr(system, part)
        result += [
            replace(system, **{part: items[:index] + items[index + 1 :]})
            for index, item in enumerate(items)
            if not _is_of_copy(system, item)
        ]
    for index, table in enumerate(system.tables):
        if table.function is None and _is_of_limbs(system, index):
            tables, tensors = list(system.tables), list(system.tensors)
            tables[index] = replace(table, size=2 * table.size)
            tensors[table.multiplicity] = replace(tensors[table.multiplicity], shape=(2 * table.size,))
            result.append(replace(system, tables=tuple(tables), tensors=tuple(tensors)))
    return result


def _is_of_copy(system: System, item: Relation | Lookup) -> bool:
    """Whether it says the range of a copied accumulator, which follows from what reads it, too."""
    stored = item.stored if isinstance(item, Lookup) else None
    return stored is not None and len(stored) == 1 and " input." in system.tensors[stored[0]].name


def weakened(model: IntegerModel) -> None:
    """The lowered model is a function; with any one constraint less it is none, or a sum could wrap."""
    system = lower(model).system
    assert undetermined(system, proven_ranges(system)) == []
    for bad in changed_systems(system):
        with pytest.raises(FormatError, match=r"do not determine tensor '|without a proven range|could wrap"):
            check(bad)


@pytest.mark.parametrize("make", [lenet, residual, depthwise, views, wide_model])
def test_every_relation_lookup_and_limb_is_needed(make: Callable[[], IntegerModel]) -> None:
    weakened(make())


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(model=st.one_of(networks(), models()))
def test_every_constraint_of_random_models_is_needed(model: IntegerModel) -> None:
    ranges = proven_ranges(lower(model).system)
    # A tensor of one value follows from its range alone.
    assume(all(first < last for first, last in ranges.values()))
    weakened(model)


def chain(length: int) -> System:
    """Each tensor follows from the one before it; relations stand in the order that finds them last."""
    relations = [total(term(1, index), term(1, index + 1)) for index in range(length)]
    return plain(tuple(relations), length + 1)


def wide(count: int) -> System:
    """One relation of many tensors, which others determine one by one."""
    tensors = range(1, count + 1)
    every = total(*(term(1, index) for index in tensors))
    return plain((every, *(total(term(1, index), term(1, X)) for index in tensors)), count + 1)


@pytest.mark.parametrize("make", [chain, wide])
@pytest.mark.parametrize("reverse", [False, True])
def test_time_is_linear(make: Callable[[int], System], reverse: bool) -> None:
    for length in (500, 2000):
        system = make(length)
        if reverse:
            system = replace(system, relations=system.relations[::-1])
        with bounded_effort(steps=250 * length):
            assert undetermined(system, dict.fromkeys(range(length + 1), (0, 1))) == []
