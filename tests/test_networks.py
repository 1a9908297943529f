"""Every proof of a convolutional network verifies: random networks, random inputs over the whole range."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepprove_dist.model.integer_model import IntegerModel
from tests.random_networks import networks
from tests.test_prover import check_a_proof


@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(data=st.data(), model=networks())
def test_every_proof_verifies(data: st.DataObject, model: IntegerModel) -> None:
    check_a_proof(data, model)


@pytest.mark.slow
@settings(max_examples=3000, suppress_health_check=list(HealthCheck))
@given(data=st.data(), model=networks())
def test_every_one_of_many_proofs_verifies(data: st.DataObject, model: IntegerModel) -> None:
    check_a_proof(data, model)
