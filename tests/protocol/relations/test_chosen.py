"""Selections that the prover makes without vectors of all places."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.arrays import Shape
from deepprove_dist.kernels import BaseVector, ExtensionVector, Pool, Transcript
from deepprove_dist.protocol.claims.sent import Pads
from deepprove_dist.protocol.messages.proof import RelationsProof
from deepprove_dist.protocol.relations import prove
from deepprove_dist.protocol.relations.chosen import chosen_places, hypercube_indices
from deepprove_dist.protocol.relations.contraction import ProductInstance, draw_points, product_instances
from deepprove_dist.protocol.relations.prove import LocalBinder, prove_relations
from deepprove_dist.protocol.system.arg_max import selection_relation
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import Affine, Constant, Matrix, System, Tensor
from tests.protocol.system.random_expressions import system_of
from tests.records import replace

NO_PADS = ExtensionVector([])


def system_with(space: Shape, constants: tuple[Constant, ...]) -> System:
    """The selection of margins over a space, with such brackets."""
    relation = selection_relation("select", space, 0)
    (part,) = relation.products
    left = replace(part.left, value=replace(part.left.value, constants=constants))
    relation = replace(relation, products=(replace(part, left=left),))
    return replace(system_of([Tensor("margin", space, Matrix.WITNESS)]), relations=(relation,))


def bracket(*position: int, value: int = 1) -> Constant:
    return Constant(value, tuple(IndexMap.covering((axis,), k, k + 1) for axis, k in enumerate(position)))


def instance_of(system: System) -> ProductInstance:
    (instance,) = product_instances(draw_points(system, Transcript(b"test")))
    return instance


def proven(system: System) -> RelationsProof:
    (shape,) = (tensor.shape for tensor in system.tensors)
    margins = np.arange(np.prod(shape), dtype=np.int64).reshape(shape) ** 2 + 1
    vectors = {0: BaseVector.from_array(margins.reshape(-1))}
    binder = LocalBinder(system, vectors, {0: margins}, Pool(1))
    return prove_relations(system, binder, Transcript(b"test"), Pads(0, NO_PADS), Pool(1))


@given(st.integers(1, 3), st.integers(1, 6), st.integers(1, 20), st.data())
def test_a_proof_is_that_of_whole_factors(samples: int, rows: int, scores: int, data: st.DataObject) -> None:
    positions = st.tuples(*(st.integers(0, size - 1) for size in (samples, rows, scores)))
    chosen = data.draw(st.lists(positions, max_size=8))
    system = system_with((samples, rows, scores), tuple(bracket(*position) for position in chosen))
    assert chosen_places(instance_of(system)) == [(s * rows + row, score) for s, row, score in chosen]
    proof = proven(system)
    with patch.object(prove, "chosen_places", return_value=None):
        assert proven(system) == proof


def test_other_factors_have_no_chosen_places() -> None:
    space = (1, 2, 3)
    assert chosen_places(instance_of(system_with(space, (bracket(0, 1, 2),)))) == [(1, 2)]
    two_wide = IndexMap.covering((2,), 0, 2)
    joined = IndexMap.covering((1, 2), 4, 5)
    others = (
        bracket(0, 1, 2, value=2),
        bracket(0, 1),
        replace(bracket(0, 1, 2), within=(*bracket(0, 1).within, two_wide)),
        replace(bracket(0, 1, 2), within=(*bracket(0).within, joined)),
        replace(bracket(0, 1, 2), within=(*bracket(0, 1).within, bracket(0, 1).within[1])),
    )
    for other in others:
        assert chosen_places(instance_of(system_with(space, (other,)))) is None


def test_a_factor_of_values_has_no_chosen_places() -> None:
    system = system_with((1, 2, 3), ())
    (relation,) = system.relations
    (part,) = relation.products
    squared = replace(relation, products=(replace(part, left=part.right),))
    assert chosen_places(instance_of(replace(system, relations=(squared,)))) is None


@pytest.mark.parametrize(("sizes", "indices"), [((), [0]), ((3,), [0, 1, 2]), ((2, 3), [0, 1, 2, 4, 5, 6])])
def test_indices_on_the_hypercube(sizes: Shape, indices: list[int]) -> None:
    assert hypercube_indices(sizes) == indices
    assert Affine(sizes, (), ()).bits >= max(indices).bit_length()
