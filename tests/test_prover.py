"""Every proof that is made verifies: random models, random inputs over the whole range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.validate import analyse
from deepprove_dist.protocol import key_file
from deepprove_dist.prover import Options, ProvingKey, prove
from deepprove_dist.verifier import verify
from tests.random_models import inputs, models

POOL = Pool(2)


def check_a_proof(data: st.DataObject, model: IntegerModel) -> None:
    """Makes keys with drawn options, proves drawn inputs, and verifies with the key as read from its file."""
    analyse(model)
    options = Options(
        weights=data.draw(st.sampled_from(("committed", "committed", "public"))),
        profile=data.draw(st.sampled_from(("default", "small", "fast"))),
        max_batch=data.draw(st.sampled_from((1, 1, 2, 5))),
    )
    samples = data.draw(st.integers(1, options.max_batch))
    key = ProvingKey(model, options, POOL)
    trace = key.runner.run(data.draw(inputs(model, samples)))
    proof = prove(key, trace, samples, b"context")
    verifying = key_file.load(key_file.dump(key.verifying))
    weights = key.weight_vectors if options.weights == "public" else None
    statement = verify(verifying, proof, context=b"context", weights=weights)
    for tensor in model.inputs:
        assert np.array_equal(statement.input_integers[tensor.name], trace.values[tensor.name])
    for tensor in model.outputs:
        assert np.array_equal(statement.output_integers[tensor.name], trace.outputs[tensor.name])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), model=models())
def test_every_proof_verifies(data: st.DataObject, model: IntegerModel) -> None:
    check_a_proof(data, model)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), model=models())
def test_every_one_of_many_proofs_verifies(data: st.DataObject, model: IntegerModel) -> None:
    check_a_proof(data, model)
