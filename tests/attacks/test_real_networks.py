"""A trained network under the schedule that a setup chooses: the same lies, at its sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

import deepprove_dist as dp
from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.prover import Prover
from deepprove_dist.samples import read_samples
from deepprove_dist.samples.rounding import quantise_inputs
from tests.attacks.fields import changes, name
from tests.attacks.models import check, honest_attempt, prove_fast, state
from tests.attacks.reference_prover import Attempt
from tests.records import replace

MODELS = Path(__file__).parents[2] / "assets" / "models"
ALTERED = 5
"""Of each field of the proof, spread evenly."""


def network(model: str, weights: Weights) -> tuple[Prover, Attempt]:
    folder = MODELS / model
    key = dp.setup(folder / "model.onnx", folder / "calibration.npz", weights=weights, threads=1).prover
    shapes = {tensor.name: tensor.shape for tensor in key.model.inputs}
    sample = read_samples(folder / "calibration.npz", shapes).select(0)
    return key, honest_attempt(key, quantise_inputs(key.model, sample.inputs, clamp=True))


@pytest.mark.parametrize(
    ("model", "weights"),
    [("iris_mlp_d1_w10", "committed"), ("iris_mlp_d1_w10", "public"), ("digits_mlp", "committed")],
)
def test_every_kind_of_field_altered_and_a_wrong_output_proven(model: str, weights: Weights) -> None:
    key, attempt = network(model, weights)
    proof = prove_fast(key, attempt)
    assert check(key, proof).key_digest == key.verifying.digest
    by_field: dict[str, list[int]] = {}
    altered = list(changes(proof))
    for index, (path, _) in enumerate(altered):
        by_field.setdefault(name(path), []).append(index)
    for places in by_field.values():
        for index in places[:: max(1, len(places) // ALTERED)]:
            with pytest.raises(VerificationError):
                check(key, altered[index][1]())
    output = key.verifying.outputs[0]
    values = attempt.trace.outputs[output.name].copy()
    values.reshape(-1)[0] += 1 if values.reshape(-1)[0] < output.hi else -1
    trace = replace(attempt.trace, outputs={output.name: values})
    with pytest.raises(VerificationError) as caught:
        check(key, prove_fast(key, Attempt(state(key, trace), trace, attempt.witness)))
    assert caught.value.check == Check.OPENING_CLAIM
