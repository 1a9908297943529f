"""The counts that soundness and cost are computed from are those of real proofs."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepprove_dist.kernels import Pool, Transcript
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.argument.shared import reduce_claims
from deepprove_dist.protocol.claims.public import PublicValues, bind_public
from deepprove_dist.protocol.claims.sent import Pads
from deepprove_dist.protocol.key.account import protocol_shape
from deepprove_dist.protocol.lookup.prove import prove_lookups
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import StatementBytes
from deepprove_dist.protocol.parameters import (
    Lookups,
    PointClaims,
    ProtocolShape,
    SumcheckInstances,
    Weights,
    proof_bytes,
)
from deepprove_dist.protocol.relations.contraction import draw_points
from deepprove_dist.protocol.relations.prove import prove_relations
from deepprove_dist.protocol.system.system import BATCH, Affine, Relation, space_bits
from deepprove_dist.prover import Prover, prove
from deepprove_dist.setup_options import Options
from tests.protocol.example import ATTEMPT
from tests.protocol.system.mapped_system import SYSTEM as WINDOWS
from tests.protocol.system.test_check import SYSTEM as DENSE
from tests.random_models import inputs, models
from tests.random_networks import networks
from tests.records import replace
from tests.test_golden import SMALL, WIDE, golden_model, sequence

POOL = Pool(1)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(data=st.data(), model=models() | networks())
def test_counts_are_those_of_a_run(data: st.DataObject, model: IntegerModel) -> None:
    key = Prover.generate(model, Options(), POOL)
    shape, instance = key.verifying.shape, key.verifying.instance(1)
    assert shape == protocol_shape(instance.system)
    trace = key.runner.run(data.draw(inputs(model, 1)))
    witness = key.witness(instance, trace, StatementBytes(key.verifying.digest, None, 1, (), (), b""))
    transcript, run = Transcript(b"test"), key.backend.begin(instance, witness)
    values = PublicValues.of_arrays(instance.system, trace.values, trace.outputs)
    public = bind_public(instance.system, values, transcript, POOL)
    assert len(public) == shape.public.count
    relations = prove_relations(instance.system, run, transcript, Pads(0), POOL)
    assert len(relations.sums) == shape.sumcheck.count
    products = [(r, p) for r in instance.system.relations for p in r.products]
    degrees = [3 if p.shared(len(r.affine.space)) else 2 for r, p in products]
    assert len(relations.finals) == 2 * len(products)
    assert shape.sumcheck.degree == max(degrees, default=0)
    # Rounds have the degree of the instances that have joined.
    assert len(relations.rounds) == shape.sumcheck.coefficients
    if len(set(degrees)) == 1:
        assert len(relations.rounds) == shape.sumcheck.variables * shape.sumcheck.degree
    fractions = prove_lookups(instance.leaves, run, transcript, Pads(0))
    assert len(fractions) == shape.products.tree_scalars
    reduced = reduce_claims(instance, relations, fractions, Transcript(b"test"), Pads(0))
    assert len(public) + len(reduced.claims) == shape.claims
    assert len(reduced.products) == shape.products.constraints
    assert sum(len(check.rows) for check in reduced.products) == shape.products.rows
    assert instance.leaves.fractions == shape.lookups.fractions
    assert instance.leaves.levels == shape.lookups.log_leaves or not shape.lookups.fractions
    bound = draw_points(instance.system, Transcript(b"test"))
    for item in bound:
        limit = shape.sumcheck.point_variables if item.relation.products else shape.linear.variables
        assert (
            sum(len(axis.point or ()) for axis in item.axes)
            == space_bits(item.relation.affine.space)
            <= limit
        )


def test_counts_are_the_largest_of_relations_and_tables() -> None:
    (product,) = DENSE.relations[0].products
    row, rows = Affine((2,), (), ()), Affine((BATCH, 4), (), ())
    more = (
        Relation("row", row, (), 0, 0),
        Relation("rows", rows, (), 0, 0),
        Relation("products", row, (product, replace(product, contracted=(9,))), 0, 0),
    )
    system = replace(DENSE, relations=DENSE.relations + more)
    assert protocol_shape(system.for_batch(3)) == ProtocolShape(
        public=PointClaims(count=2, variables=4),
        linear=PointClaims(count=2, variables=4),
        sumcheck=SumcheckInstances(count=3, point_variables=3, variables=4, degree=2, coefficients=8),
        lookups=Lookups(log_leaves=7, fractions=6 + 6 + 64 + 16, width=2),
        claims=2 + 4 + 2 * 3 + 2,
    )


def test_counts_of_a_shared_axis_and_a_lookup_of_an_expression() -> None:
    """Three samples, so that the lookup's leaves are padded, 24 to 32, beside a table of 40 rows."""
    assert protocol_shape(WINDOWS.for_batch(3)) == ProtocolShape(
        public=PointClaims(count=2, variables=6),
        linear=PointClaims(count=0, variables=0),
        sumcheck=SumcheckInstances(count=1, point_variables=5, variables=3, degree=3, coefficients=9),
        lookups=Lookups(log_leaves=7, fractions=64, width=2),
        claims=2 + 1 + 2 + 2,
    )


@pytest.mark.parametrize("hiding", [False, True])
@pytest.mark.parametrize("weights", ["committed", "public"])
@pytest.mark.parametrize("width", [SMALL, 300, WIDE])
def test_a_proof_has_the_bytes_of_the_cost_model(width: int, weights: Weights, hiding: bool) -> None:
    key = Prover.generate(golden_model(width), Options(weights, hiding=hiding), POOL)
    trace = key.runner.run({"x": sequence(1, 1, 4, 5, bound=100).reshape(1, 1, 4, 5)})
    proof = bytes(prove(key, trace, 1, attempt=ATTEMPT if hiding else None))
    statement = proof_file.load(proof).statement
    stated = sum(map(len, (statement.key_digest, *statement.inputs, *statement.outputs)))
    expected = proof_bytes(key.verifying.schedule, key.verifying.shape)
    # Merkle paths vary with the queries; all else is exact, up to some 150 bytes of file format.
    assert len(proof) - stated == pytest.approx(expected, rel=0.05)
    assert len(proof) < key.verifying.max_proof_bytes(1)
