"""A hiding proof has one pad for each scalar that it sends padded."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.key.pads import count_pads, with_pads
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.protocol.system.system import Matrix, System, Tensor
from deepprove_dist.prover import Prover, prove
from deepprove_dist.setup_options import Options
from tests.protocol.example import ATTEMPT, SECRET, proof, proving_key
from tests.random_models import inputs, models
from tests.random_networks import networks

POOL = Pool(1)


def padded_scalars(content: bytes) -> int:
    """Scalars of a proof that are neither in clear nor part of its opening."""
    read = proof_file.load(content)
    relations = read.relations
    sent = (relations.sums, relations.rounds, relations.finals, read.fractions, read.products.rounds)
    return sum(map(len, sent))


@pytest.mark.parametrize("weights", ["committed", "public"])
@pytest.mark.parametrize("samples", [1, 2, 3])
def test_pads_are_as_many_as_a_proof_sends(weights: Weights, samples: int) -> None:
    instance = proving_key(weights, hiding=True).verifying.instance(samples)
    assert instance.pads == padded_scalars(proof(weights, samples, hiding=True)) > 0


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data(), model=models() | networks())
def test_pads_of_random_models_are_as_many_as_their_proofs_send(
    data: st.DataObject, model: IntegerModel
) -> None:
    key = Prover.generate(model, Options(hiding=True, proofs=1), POOL, SECRET)
    trace = key.runner.run(data.draw(inputs(model, 1)))
    instance = key.verifying.instance(1)
    assert instance.pads == padded_scalars(prove(key, trace, 1, attempt=ATTEMPT))
    assert instance.pads == count_pads(key.verifying.system.for_batch(1))


def test_pads_are_rows_of_the_last_tensor_and_four_more() -> None:
    tensor = Tensor("x", (3,), Matrix.WITNESS)
    system = System((tensor,), (), (), (), (), ())
    assert with_pads(system, 7).tensors == (tensor, Tensor("pads", (11, 5), Matrix.WITNESS))
    assert with_pads(system, 0) is system
