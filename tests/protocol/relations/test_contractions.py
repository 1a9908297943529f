"""Contractions with taps, shared axes, groups and expressions end in claims that hold."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, Pool, Transcript
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.claims.layout import lay_out
from deepprove_dist.protocol.claims.sent import Pads
from deepprove_dist.protocol.messages.proof import RelationsProof
from deepprove_dist.protocol.products.check import require_products
from deepprove_dist.protocol.relations.contraction import draw_points, product_instances
from deepprove_dist.protocol.relations.prove import LocalBinder, prove_relations
from deepprove_dist.protocol.relations.verify import verify_relations
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import (
    Affine,
    Factor,
    Matrix,
    Product,
    Relation,
    SumcheckSpace,
    System,
    Taps,
    Tensor,
)
from tests.protocol.naive import (
    affine_values,
    challenges,
    eq,
    holds,
    inner,
    integers,
    items,
    product_values,
    whole,
)
from tests.protocol.system.random_expressions import (
    COEFFICIENTS,
    expressions,
    groups,
    index_maps,
    system_of,
)
from tests.records import replace

NO_PADS = ExtensionVector([])


@st.composite
def products(draw: st.DrawFn, space: Shape, tensors: list[Tensor]) -> Product:
    """Each output axis is in one factor, shared, or followed by taps over a contracted axis.

    Taps have such an axis alone in their factor, and it is in the other one.
    """
    contracted = [draw(st.integers(1, 4)) for _ in range(draw(st.integers(0, 2)))]
    left, right, taps = list[int](), list[int](), list[Taps]()
    free = list(range(len(contracted)))
    met: dict[tuple[int, int], int] = {}
    for output in draw(groups(draw(st.permutations(range(len(space)))))):
        kind = draw(st.sampled_from(("left", "right", "shared", "taps")))
        side = draw(st.integers(0, 1))
        if kind == "taps" and free:
            over = free.pop(draw(st.integers(0, len(free) - 1)))
            met[side, over] = len(taps)
            count = prod(space[axis] for axis in output)
            taps.append(Taps(over, draw(index_maps(output, count, least=1))))
            continue
        left += output if kind in ("left", "shared") else ()
        right += output if kind in ("right", "shared", "taps") else ()
    # Shared axes stand in one order in both.
    left, right = sorted(left), sorted(right)
    sizes = (*space, *contracted, *(factor.map.taps for factor in taps))
    factors = []
    for side, factor in enumerate((left, right)):
        axes = list(factor)
        for axis in range(len(contracted)):
            number = met.get((side, axis))
            axes.append(len(space) + axis if number is None else len(space) + len(contracted) + number)
        # Axes that are not shared may stand anywhere.
        single = [axis for axis in factor if axis not in left or axis not in right]
        for axis in single:
            axes.remove(axis)
            axes.insert(draw(st.integers(0, len(axes))), axis)
        shape = tuple(sizes[axis] for axis in axes)
        factors.append(Factor(draw(values_over(shape, tensors)), tuple(axes)))
    return Product(draw(COEFFICIENTS), tuple(contracted), tuple(taps), *factors)


@st.composite
def values_over(draw: st.DrawFn, shape: Shape, tensors: list[Tensor]) -> Affine:
    """A tensor of its own, or any expression."""
    if draw(st.booleans()):
        return draw(expressions(shape, tensors))
    tensors.append(Tensor("factor", shape, draw(st.sampled_from(Matrix))))
    return whole(len(tensors) - 1, shape)


@st.composite
def systems(draw: st.DrawFn) -> System:
    """Up to three relations, each of up to three products and a stored output; the outputs come last."""
    tensors: list[Tensor] = []
    drawn = []
    for _ in range(draw(st.integers(1, 3))):
        space = tuple(draw(st.lists(st.integers(1, 4), max_size=3)))
        chosen = tuple(draw(products(space, tensors)) for _ in range(draw(st.integers(0, 3))))
        drawn.append((space, chosen, draw(expressions(space, tensors))))
    relations = []
    for index, (space, chosen, affine) in enumerate(drawn):
        tensors.append(Tensor("output", space, Matrix.WITNESS))
        terms = (*affine.terms, *whole(len(tensors) - 1, space).terms)
        relations.append(Relation(str(index), replace(affine, terms=terms), chosen, 0, 0))
    return replace(system_of(tensors), relations=tuple(relations))


def values_of(system: System, seed: int) -> dict[int, IntArray]:
    """Random values, and the outputs that satisfy the relations."""
    values = {
        index: integers(seed + index, tensor.shape, bound=50) for index, tensor in enumerate(system.tensors)
    }
    first = len(system.tensors) - len(system.relations)
    for index, relation in enumerate(system.relations):
        output = first + index
        others = replace(relation.affine, terms=relation.affine.terms[:-1])
        values[output] = np.array(-affine_values(system, others, values))
        for product in relation.products:
            values[output] += product_values(system, product, relation.affine.space, values)
    return values


def proven(system: System, values: dict[int, IntArray], pads: ExtensionVector = NO_PADS) -> RelationsProof:
    vectors = {index: BaseVector.from_array(array.reshape(-1)) for index, array in values.items()}
    binder = LocalBinder(system, vectors, values, Pool(1))
    return prove_relations(system, binder, Transcript(b"test"), Pads(len(pads), pads), Pool(1))


def verified(system: System, proof: RelationsProof) -> list[Claim]:
    """The claims that a proof without pads ends in, if it holds."""
    result = verify_relations(system, proof, Transcript(b"test"), Pads(0))
    require_products(result.products)
    return result.claims


@settings(max_examples=150)
@given(system=systems(), seed=st.integers(0, 2**32))
def test_claims_hold_for_values_that_satisfy_the_relations(system: System, seed: int) -> None:
    layout, values = lay_out(system, 5), values_of(system, seed)
    claims = verified(system, proven(system, values))
    count = sum(len(relation.products) for relation in system.relations)
    assert len(claims) == len(system.relations) + 2 * count
    assert all(holds(claim, system, layout, values) for claim in claims)


@settings(max_examples=60)
@given(system=systems(), seed=st.integers(0, 2**32))
def test_padded_scalars_end_in_claims_about_true_values(system: System, seed: int) -> None:
    layout, values, pads = lay_out(system, 5), values_of(system, seed), challenges(seed, 300)
    proof, counted = proven(system, values, pads), Pads(len(pads))
    result = verify_relations(system, proof, Transcript(b"test"), counted)
    assert counted.remaining == 300 - sum(map(len, (proof.sums, proof.rounds, proof.finals)))
    assert all(holds(claim, system, layout, values, pads) for claim in result.claims)


@settings(max_examples=60)
@given(data=st.data(), system=systems(), seed=st.integers(0, 2**32))
def test_a_claim_fails_where_one_output_is_wrong(data: st.DataObject, system: System, seed: int) -> None:
    layout, values = lay_out(system, 5), values_of(system, seed)
    output = data.draw(st.integers(len(system.tensors) - len(system.relations), len(system.tensors) - 1))
    wrong = values[output].reshape(-1)
    wrong[data.draw(st.integers(0, wrong.size - 1))] += 1
    claims = verified(system, proven(system, values))
    assert not all(holds(claim, system, layout, values) for claim in claims)


@settings(max_examples=60)
@given(system=systems(), seed=st.integers(0, 2**32))
def test_sums_are_the_products_at_the_points(system: System, seed: int) -> None:
    values = values_of(system, seed)
    proof = proven(system, values)
    expected = []
    for bound in draw_points(system, Transcript(b"test")):
        weights = []
        for axis in bound.axes:
            assert axis.point is not None
            weights.append(eq(axis.point)[: axis.size])
        for product in bound.relation.products:
            unscaled = replace(product, coefficient=1)
            array = product_values(system, unscaled, bound.relation.affine.space, values)
            expected.append(inner(array, weights))
    assert items(proof.sums) == expected


def depthwise() -> System:
    """out[c, h] = sum_i w[c, i] x[c, 2 h + i - 1] and another relation, whose product shares no axis."""
    shapes: tuple[Shape, ...] = ((3, 3), (3, 7), (5, 3), (3, 4), (5, 7))
    tensors = [Tensor(str(index), shape, Matrix.WITNESS) for index, shape in enumerate(shapes)]
    taps = Taps(0, IndexMap((1,), 0, 4, offset=-1, stride=2, taps=3))
    shared = Product(1, (7,), (taps,), Factor(whole(0, (3, 3)), (0, 3)), Factor(whole(1, (3, 7)), (0, 2)))
    plain = Product(1, (3,), (), Factor(whole(2, (5, 3)), (0, 2)), Factor(whole(1, (3, 7)), (2, 1)))
    relations = (
        Relation("depthwise", whole(3, (3, 4)), (shared,), 0, 0),
        Relation("dense", whole(4, (5, 7)), (plain,), 0, 0),
    )
    return replace(system_of(tensors), relations=relations)


def test_a_depthwise_convolution_is_the_sums_that_it_says() -> None:
    system = depthwise()
    values = values_of(system, 4)
    padded = np.pad(values[1], ((0, 0), (1, 1)))
    for channel, position in np.ndindex(3, 4):
        assert (
            values[3][channel, position]
            == values[0][channel] @ padded[channel, 2 * position : 2 * position + 3]
        )
    assert np.array_equal(values[4], values[2] @ values[1])
    first, second = product_instances(draw_points(system, Transcript(b"test")))
    # Three channels by three taps.
    assert first.sumcheck == SumcheckSpace(shared=(0,), sizes=(3, 3), variables=4, degree=3)
    assert second.sumcheck == SumcheckSpace(shared=(), sizes=(3,), variables=2, degree=2)


@pytest.mark.parametrize("index", range(4))
def test_other_evaluations_are_refused(index: int) -> None:
    system = depthwise()
    values = values_of(system, 5)
    proof = proven(system, values)
    finals = items(proof.finals)
    finals[index] += 1
    wrong = RelationsProof(proof.sums, proof.rounds, ExtensionVector(finals))
    with pytest.raises(VerificationError, match="sumcheck"):
        verified(system, wrong)


def test_the_factor_of_shared_axes_is_not_sent() -> None:
    """Both sides compute eq: two finals a product, and the product of the first is weighed by eq."""
    system = depthwise()
    proof = proven(system, values_of(system, 6))
    assert len(proof.finals) == 4
    result = verify_relations(system, proof, Transcript(b"test"), Pads(0))
    require_products(result.products)
    (check,) = result.products
    first, second = check.rows
    # The first product's power of the batching challenge is 1, and eq is not.
    assert first.scale != Extension(1)
    assert second.scale != Extension(1)
    wrong = replace(check, rows=(replace(first, scale=Extension(1)), second))
    with pytest.raises(VerificationError, match="sumcheck"):
        require_products([wrong])
