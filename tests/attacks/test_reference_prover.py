"""The prover in plain Python is the real one: what a lying prover changes is all that is unlike."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.protocol.lookup.tree import ExpressionRow
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.prover import Prover
from tests.attacks.models import check, honest_attempt, images, inputs, make_key, model, prove_fast
from tests.attacks.reference_prover import ReferenceProver


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("stubborn", [False, True])
@pytest.mark.parametrize("kind", ["key", "flat_key", "public_key", "image_key"])
def test_an_honest_reference_prover_makes_the_real_bytes(
    request: pytest.FixtureRequest, hiding: bool, kind: str, stubborn: bool, samples: int
) -> None:
    key = request.getfixturevalue(kind)
    attempt = honest_attempt(key, (images if kind == "image_key" else inputs)(samples), b"context")
    real = prove_fast(key, attempt)
    reference = ReferenceProver(key, attempt, stubborn=stubborn).prove()
    assert proof_file.dump(reference) == proof_file.dump(real)
    statement = check(key, real)
    (output,) = key.verifying.outputs
    assert np.array_equal(statement.output_integers[output.name], attempt.trace.outputs[output.name])
    assert statement.context == b"context"


def test_the_tiny_network_has_every_part_of_a_proof() -> None:
    key = make_key(model())
    proof = prove_fast(key, honest_attempt(key, inputs()))
    assert len(proof.opening.rounds) == 2
    assert len(proof.opening.leaves) == 4
    assert all(len(leaves.nodes) > 0 for leaves in proof.opening.leaves[:2])
    assert len(proof.relations.sums) == 2
    assert len(proof.fractions) > 0


def test_the_convolutional_network_has_every_kind_of_relation(image_key: Prover) -> None:
    instance = image_key.verifying.instance(1)
    products = [(r, p) for r in instance.system.relations for p in r.products]
    assert any(product.taps for _, product in products)
    assert any(product.shared(len(relation.affine.space)) for relation, product in products)
    assert any(factor.value.stored is None for _, p in products for factor in (p.left, p.right))
    columns = [c for row in instance.leaves.rows if isinstance(row, ExpressionRow) for c in row.columns]
    assert any(constant.within for column in columns for constant in column.constants)
    assert any(isinstance(axis, IndexMap) for column in columns for t in column.terms for axis in t.axes)
