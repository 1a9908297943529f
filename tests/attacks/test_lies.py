"""Lies about one value in random networks are refused: what is accepted is the one honest witness.

The statement may even be true: inputs and weights determine every committed value.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deepprove_dist as dp
from deepprove_dist.importing.load import import_proto
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.prover import Prover
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import read_samples
from deepprove_dist.samples.rounding import quantise_inputs
from tests import random_models, random_networks
from tests.attacks.lies import lies
from tests.attacks.lying_prover import Inputs, LyingProver, accepted
from tests.attacks.models import make_key
from tests.examples import few, many
from tests.importing import random_networks as onnx_networks
from tests.lowering.networks import Network
from tests.quantise.test_networks import samples_of

MODELS = st.one_of(random_models.models(), random_networks.networks(), random_networks.networks())
WEIGHTS: st.SearchStrategy[Weights] = st.sampled_from(("committed", "public"))
TRAINED = Path(__file__).parents[2] / "assets" / "models"
SEEDS = st.integers(0, 2**32 - 1)
ONE_OR_TWO = st.integers(1, 2)
HIDING = st.booleans()

KINDS = {
    "an output",
    "an output plus p",
    "a quotient",
    "a quotient and its output",
    "a quotient, its output and a limb",
    "a limb",
    "a carry between limbs",
    "an accumulator plus p",
    "a gain",
    "a gain and its output",
    "a committed value",
    "a multiplicity",
    "a multiplicity of another row",
    "samples trade outputs",
    "samples trade outputs, committed",
    "elements trade places, committed",
    "samples trade inputs",
}


def refused_kinds(key: Prover, inputs: Inputs, seed: int) -> set[str]:
    """Tries all lies; the kinds of those that changed something, all of which were refused."""
    prover = LyingProver(key, inputs)
    assert accepted(key, prover.honest)
    assert prover.is_honest(prover.attempt(prover.run(None, lambda inference: inference)))
    kinds = set()
    for kind, attempt in lies(prover, np.random.default_rng(seed)):
        if not prover.is_honest(attempt):
            assert not accepted(key, attempt), kind
            kinds.add(kind)
    return kinds


def require_refusals(
    data: st.DataObject, model: IntegerModel, weights: Weights, samples: int, seed: int, hiding: bool
) -> None:
    key = make_key(model, weights=weights, folds=False, hiding=hiding)
    refused_kinds(key, data.draw(random_models.inputs(model, samples)), seed)


def quantised(source: onnx.ModelProto) -> IntegerModel:
    """The integer model of an ONNX network."""
    imported = import_proto(source)
    return quantise(imported.graph, calibrate(FloatModel(imported), samples_of(imported, 4))).model


def test_every_kind_of_lie_is_tried(hiding: bool) -> None:
    network = Network((1, 2, 4, 4))
    pooled = network.relu(network.max_pool("x", (2, 2), (1, 1)))
    model = network.model(network.dense(network.relu(network.conv(pooled, (2, 2, 2, 2))), 3))
    x = np.random.default_rng(1).integers(-128, 128, (2, *model.inputs[0].shape))
    assert refused_kinds(make_key(model, folds=False, hiding=hiding), {"x": x}, 0) == KINDS


@few(20)
@given(data=st.data(), model=MODELS, weights=WEIGHTS, samples=st.integers(1, 3), seed=SEEDS, hiding=HIDING)
def test_lies_in_integer_networks(
    data: st.DataObject, model: IntegerModel, weights: Weights, samples: int, seed: int, hiding: bool
) -> None:
    require_refusals(data, model, weights, samples, seed, hiding)


@few(10)
@given(
    data=st.data(),
    source=onnx_networks.networks(),
    weights=WEIGHTS,
    samples=ONE_OR_TWO,
    seed=SEEDS,
    hiding=HIDING,
)
def test_lies_in_onnx_networks(
    data: st.DataObject, source: onnx.ModelProto, weights: Weights, samples: int, seed: int, hiding: bool
) -> None:
    require_refusals(data, quantised(source), weights, samples, seed, hiding)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits_smooth", "digits_resnet", "digits_lenet62k"])
def test_lies_in_trained_networks(name: str) -> None:
    """Under the schedule that set-up chooses."""
    folder = TRAINED / name
    key = dp.setup(folder / "model.onnx", folder / "calibration.npz", threads=1, max_batch=2).prover
    shapes = {tensor.name: tensor.shape for tensor in key.model.inputs}
    samples = read_samples(folder / "calibration.npz", shapes).first(2)
    refused_kinds(key, quantise_inputs(key.model, samples.inputs, clamp=True), 5)


@pytest.mark.slow
@many(400)
@given(data=st.data(), model=MODELS, weights=WEIGHTS, samples=st.integers(1, 3), seed=SEEDS, hiding=HIDING)
def test_lies_in_many_integer_networks(
    data: st.DataObject, model: IntegerModel, weights: Weights, samples: int, seed: int, hiding: bool
) -> None:
    require_refusals(data, model, weights, samples, seed, hiding)


@pytest.mark.slow
@many(400)
@given(
    data=st.data(),
    source=onnx_networks.networks(),
    weights=WEIGHTS,
    samples=ONE_OR_TWO,
    seed=SEEDS,
    hiding=HIDING,
)
def test_lies_in_many_onnx_networks(
    data: st.DataObject, source: onnx.ModelProto, weights: Weights, samples: int, seed: int, hiding: bool
) -> None:
    require_refusals(data, quantised(source), weights, samples, seed, hiding)
