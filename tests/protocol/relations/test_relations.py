"""Relations end in claims that hold for values that satisfy them, and for no others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import AxisWeights, BaseVector, Extension, ExtensionVector, Pool, Transcript
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.claims.layout import lay_out
from deepprove_dist.protocol.claims.sent import Pads, SentVector
from deepprove_dist.protocol.messages.proof import RelationsProof
from deepprove_dist.protocol.products.check import require_products
from deepprove_dist.protocol.relations.contraction import claim_affine_sides, draw_points, product_instances
from deepprove_dist.protocol.relations.prove import LocalBinder, prove_relations
from deepprove_dist.protocol.relations.verify import verify_relations
from deepprove_dist.protocol.system.system import (
    Affine,
    Constant,
    Factor,
    Matrix,
    Product,
    Relation,
    System,
    Tensor,
    Term,
)
from tests.protocol.naive import Values, challenges, eq, holds, inner, integers, items, whole

OUT, A, X, BIAS, DOUBLE, C, Y = range(7)
NO_PADS = ExtensionVector([])


def example(n: int, i: int, j: int, k: int, m: int) -> System:
    """A contraction of two products and a linear relation, over other orders of the same axes:

    out[n,i,j] + 5 = sum_km a[i,k,m] x[n,j,k,m] - 3 sum_k y[n,i,k] c[j,k] + 4 bias[j],
    double[n,j,i] + 7 = 2 out[n,i,j] + 3 bias[j].
    """
    tensors = (
        Tensor("out", (n, i, j), Matrix.WITNESS),
        Tensor("a", (i, k, m), Matrix.WEIGHTS),
        Tensor("x", (n, j, k, m), Matrix.WITNESS),
        Tensor("bias", (j,), Matrix.WEIGHTS),
        Tensor("double", (n, j, i), Matrix.WITNESS),
        Tensor("c", (j, k), Matrix.WEIGHTS),
        Tensor("y", (n, i, k), Matrix.WITNESS),
    )

    def factor(tensor: int, axes: tuple[int, ...]) -> Factor:
        return Factor(whole(tensor, tensors[tensor].shape), axes)

    contraction = Relation(
        "contraction",
        Affine((n, i, j), (Term(1, OUT, (0, 1, 2)), Term(-4, BIAS, (2,))), (Constant(5),)),
        (
            Product(1, (k, m), (), factor(A, (1, 3, 4)), factor(X, (0, 2, 3, 4))),
            Product(-3, (k,), (), factor(Y, (0, 1, 3)), factor(C, (2, 3))),
        ),
        0,
        0,
    )
    terms = (Term(1, DOUBLE, (0, 1, 2)), Term(-2, OUT, (0, 2, 1)), Term(-3, BIAS, (1,)))
    linear = Relation("linear", Affine((n, j, i), terms, (Constant(7),)), (), 0, 0)
    return System(tensors, (), (), (), (contraction, linear), ())


def values_of(system: System, seed: int) -> dict[int, IntArray]:
    """Random factors and the outputs that satisfy the relations."""
    values = {
        index: integers(seed + index, tensor.shape, bound=50) for index, tensor in enumerate(system.tensors)
    }
    first, second = products_of(values)
    values[OUT] = first - 3 * second + 4 * values[BIAS] - 5
    values[DOUBLE] = np.ascontiguousarray((2 * values[OUT] + 3 * values[BIAS] - 7).transpose(0, 2, 1))
    return values


def products_of(values: Values) -> tuple[IntArray, IntArray]:
    first = np.einsum("ikm,njkm->nij", values[A], values[X])
    return first, np.einsum("nik,jk->nij", values[Y], values[C])


def proven(system: System, values: Values, pads: ExtensionVector = NO_PADS) -> RelationsProof:
    vectors = {index: BaseVector.from_array(array.reshape(-1)) for index, array in values.items()}
    binder = LocalBinder(system, vectors, values, Pool(1))
    return prove_relations(system, binder, Transcript(b"test"), Pads(len(pads), pads), Pool(1))


def verified(system: System, proof: RelationsProof) -> list[Claim]:
    """The claims that a proof without pads ends in, if it holds."""
    result = verify_relations(system, proof, Transcript(b"test"), Pads(0))
    require_products(result.products)
    return result.claims


def dense_weights(axis: AxisWeights) -> list[Extension]:
    """eq of an axis's coordinates, at its indices."""
    assert axis.point is not None
    return eq(axis.point)[: axis.size]


sizes = st.tuples(*[st.integers(1, 3), *[st.integers(1, 4)] * 4])


@settings(max_examples=40)
@given(sizes=sizes, seed=st.integers(0, 2**32))
def test_claims_hold_for_values_that_satisfy_the_relations(
    sizes: tuple[int, int, int, int, int], seed: int
) -> None:
    system = example(*sizes)
    layout = lay_out(system, 5)
    values = values_of(system, seed)
    claims = verified(system, proven(system, values))
    # Two relations, and two factors for each of two products.
    assert len(claims) == 6
    assert all(holds(claim, system, layout, values) for claim in claims)


@settings(max_examples=40)
@given(sizes=sizes, seed=st.integers(0, 2**32))
def test_padded_scalars_end_in_claims_about_true_values(
    sizes: tuple[int, int, int, int, int], seed: int
) -> None:
    system, pads = example(*sizes), challenges(seed, 100)
    layout, values = lay_out(system, 5), values_of(system, seed)
    proof, counted = proven(system, values, pads), Pads(len(pads))
    result = verify_relations(system, proof, Transcript(b"test"), counted)
    assert counted.remaining == 100 - sum(map(len, (proof.sums, proof.rounds, proof.finals)))
    assert all(holds(claim, system, layout, values, pads) for claim in result.claims)
    (check,) = result.products
    products = Extension(0)
    for row in check.rows:
        left, right, *_ = (factor.true_value(pads) for factor in row.factors)
        products += row.scale * left * right
    assert products == check.total.true_value(pads)
    with pytest.raises(VerificationError, match="sumcheck"):
        require_products(result.products)


@settings(max_examples=40)
@given(data=st.data(), sizes=sizes, seed=st.integers(0, 2**32))
def test_a_claim_fails_where_one_value_is_wrong(
    data: st.DataObject, sizes: tuple[int, int, int, int, int], seed: int
) -> None:
    system = example(*sizes)
    layout = lay_out(system, 5)
    values = values_of(system, seed)
    wrong = values[data.draw(st.sampled_from((OUT, DOUBLE)))].reshape(-1)
    wrong[data.draw(st.integers(0, wrong.size - 1))] += 1
    claims = verified(system, proven(system, values))
    assert not all(holds(claim, system, layout, values) for claim in claims)


def test_sums_are_the_products_at_the_relations_point() -> None:
    system = example(2, 3, 4, 3, 2)
    values = values_of(system, 1)
    proof = proven(system, values)
    n, i, j = (dense_weights(axis) for axis in draw_points(system, Transcript(b"test"))[0].axes)
    assert items(proof.sums) == [inner(array, [n, i, j]) for array in products_of(values)]


def test_a_constant_lives_on_the_tensors_places_only() -> None:
    relation = Relation("constant", Affine((1, 3), (Term(1, 0, (0, 1)),), (Constant(-5),)), (), 0, 0)
    system = System((Tensor("x", (1, 3), Matrix.WITNESS),), (), (), (), (relation,), ())
    bound = draw_points(system, Transcript(b"test"))
    claims = claim_affine_sides(system, bound, SentVector(NO_PADS))
    assert product_instances(bound) == []
    assert claims[0].value == Extension(5) * sum(dense_weights(bound[0].axes[1]), Extension(0))


def test_another_number_of_sums_is_refused() -> None:
    system = example(1, 2, 2, 2, 2)
    proof = proven(system, values_of(system, 0))
    for sums in (proof.sums[:1], proof.sums + proof.sums[:1]):
        with pytest.raises(VerificationError, match="not 2"):
            verified(system, RelationsProof(sums, proof.rounds, proof.finals))


def test_another_sum_is_refused_by_the_sumcheck() -> None:
    system = example(1, 2, 2, 2, 2)
    proof = proven(system, values_of(system, 0))
    wrong = ExtensionVector([proof.sums[0] + 1, proof.sums[1]])
    with pytest.raises(VerificationError, match="sumcheck"):
        verified(system, RelationsProof(wrong, proof.rounds, proof.finals))
