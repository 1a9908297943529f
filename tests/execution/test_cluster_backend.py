"""Proofs by many workers are the bytes that one machine makes, whatever is shared, and with whom."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import deepprove_dist as dp
from deepprove_dist.execution.cluster_backend import load_cluster_prover
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.policy import SHARE_ALL, Policy
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.importing.load import import_model
from deepprove_dist.kernels import Pool
from deepprove_dist.keys import INTEGER_MODEL, load_integer_model
from deepprove_dist.model import file as model_file
from deepprove_dist.model.hidden_names import HiddenNames
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.parameters import SECURITY_LEVELS
from deepprove_dist.prover import Prover, prove
from deepprove_dist.samples import read_samples
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.backends import cluster
from tests.execution.shared_keys import (
    HIDING_ROUNDS,
    Example,
    UnequalExecutor,
    Unreliable,
    example,
    large_network,
    network,
    prove_inputs,
)
from tests.lowering.networks import Network
from tests.protocol.example import ATTEMPT, SECRET
from tests.random_models import inputs, models
from tests.random_networks import networks

MODELS = Path(__file__).parents[2] / "assets" / "models"
SHIPPED = (
    "digits_mlp",
    "iris_mlp_d4_w128",
    "digits_lenet62k",
    "digits_cnn264k",
    "digits_resnet",
    "digits_smooth",
)
COUNTS = (1, 2, 3, 4, 7, 16)
NOTHING = Policy(*[1 << 62 if field.name.endswith(("weights", "values")) else 62 for field in fields(Policy)])


@pytest.fixture(scope="module", params=SHIPPED)
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    """A shipped model; how well its ranges are calibrated does not matter here."""
    folder = MODELS / request.param
    graph = import_model(folder / "model.onnx").graph
    shapes = {name: graph.shapes[name] for name in graph.inputs}
    samples = read_samples(folder / "calibration.npz", shapes).select(range(20))
    keys = dp.setup(folder / "model.onnx", samples, calibration_method="max", threads=1)
    (inputs,) = samples.select(0).inputs.values()
    return Example.of(keys.prover, tmp_path_factory.mktemp(request.param), inputs)


@pytest.fixture(scope="module", params=[False, True], ids=["transparent", "hiding"])
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    """Several kinds of layer, two samples of at most three."""
    folder = tmp_path_factory.mktemp("small")
    return example(network(), folder, samples=2, max_batch=3, hiding=request.param)


@pytest.fixture(scope="module", params=[None, HIDING_ROUNDS], ids=["chosen rounds", "two rounds"])
def hiding(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    """Its opening has two rounds with commitments of their own, where the parameter says so."""
    folder, rounds = tmp_path_factory.mktemp("hiding"), request.param
    return example(large_network(), folder, objective="small", rounds=rounds, hiding=True)


@pytest.mark.parametrize("workers", COUNTS)
def test_shipped_models(shipped: Example, workers: int) -> None:
    assert shipped.prove(shipped.shared(InProcessExecutor(workers, create_worker))) == shipped.proof


@pytest.mark.parametrize("workers", [1, 2, 4, 16])
def test_hiding_proofs(hiding: Example, workers: int) -> None:
    """Every step is shared: each of a few workers has several parts of it."""
    executor = Unreliable(workers)
    key = hiding.shared(executor)
    assert len(cluster(key).group.assignment.parts) == workers
    assert hiding.prove(key) == hiding.proof
    asked = set(" ".join(executor.methods).split()) | executor.deferred
    assert {"commit_witness", "build_fractions", "fold_layer", "gram", "weigh_mask", "add_mask"} <= asked
    verify(key.verifying, hiding.proof)


@pytest.mark.parametrize("workers", COUNTS)
def test_several_samples(small: Example, workers: int) -> None:
    key = small.shared(InProcessExecutor(workers, create_worker))
    assert [small.prove(key) for _ in range(2)] == [small.proof] * 2
    one = prove_inputs(small.key, small.inputs[:1])
    # Another number of samples, and back: what workers keep between proofs is for each number.
    assert prove_inputs(key, small.inputs[:1]) == one
    assert small.prove(key) == small.proof


@pytest.mark.parametrize("workers", [1, 3, 4])
@pytest.mark.parametrize("hiding", [False, True])
def test_public_weights(tmp_path: Path, workers: int, hiding: bool) -> None:
    public = example(network(), tmp_path, weights="public", hiding=hiding)
    assert public.prove(public.shared(InProcessExecutor(workers, create_worker))) == public.proof


@pytest.mark.parametrize("name", [field.name for field in fields(Policy)])
@pytest.mark.parametrize("workers", [2, 3])
def test_each_threshold_alone(small: Example, name: str, workers: int) -> None:
    alone = replace(NOTHING, **{name: getattr(SHARE_ALL, name)})
    others = replace(SHARE_ALL, **{name: getattr(NOTHING, name)})
    for policy in (alone, others):
        assert small.prove(small.shared(InProcessExecutor(workers, create_worker), policy)) == small.proof


@pytest.mark.parametrize("log", range(4, 15, 2))
def test_thresholds_in_between(small: Example, log: int) -> None:
    policy = Policy(1 << log, 1 << log, log, log, log)
    assert small.prove(small.shared(InProcessExecutor(3, create_worker), policy)) == small.proof


def test_with_the_default_policy(small: Example) -> None:
    assert small.prove(small.shared(InProcessExecutor(3, create_worker), Policy())) == small.proof


@pytest.mark.parametrize("capacities", [(1, 2), (5, 1, 1), (2, 3, 7, 1), (1, 16)])
def test_unequal_workers(small: Example, capacities: tuple[int, ...]) -> None:
    assert small.prove(small.shared(UnequalExecutor(capacities))) == small.proof


def test_a_convolution_of_one_place_is_cut_by_channels(tmp_path: Path) -> None:
    """Its weights are lowered without axes of size 1."""
    layers = Network((1, 1, 1))
    image = layers.node("reshape", ("x",), {"shape": (1, 1, 1, 1)})
    point = example(layers.model(layers.relu(layers.conv(image, (2, 1, 1, 1)))), tmp_path)
    assert point.prove(point.shared(InProcessExecutor(1, create_worker), SHARE_ALL)) == point.proof


def test_more_workers_than_parts(tmp_path: Path) -> None:
    tiny = example(network(), tmp_path)
    key = tiny.shared(InProcessExecutor(70, create_worker))
    assert len(cluster(key).group.assignment.parts) < 70
    assert tiny.prove(key) == tiny.proof


@given(data=st.data(), model=st.one_of(models(), networks()))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_random_models(data: st.DataObject, model: IntegerModel) -> None:
    hiding = data.draw(st.booleans())
    names = [tensor.name for tensor in model.inputs]
    # An output may be an input: it is hidden once.
    names += [tensor.name for tensor in model.outputs if tensor.name not in names]
    hidden = data.draw(st.sets(st.sampled_from(names), max_size=2)) if hiding else set[str]()
    options = Options(
        weights=data.draw(st.sampled_from(("committed", "committed", "public"))),
        objective=data.draw(st.sampled_from(("default", "small", "fast"))),
        max_batch=data.draw(st.integers(1, 3)),
        security=data.draw(st.sampled_from(SECURITY_LEVELS)),
        hiding=hiding,
        hidden=HiddenNames(
            tuple(tensor.name for tensor in model.inputs if tensor.name in hidden),
            tuple(name for name in names[len(model.inputs) :] if name in hidden),
        ),
    )
    secret = SECRET if options.hiding else None
    key = Prover.generate(model, options, Pool(1), secret)
    samples = data.draw(st.integers(1, options.max_batch))
    integers = data.draw(inputs(model, samples))
    capacities = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=5))
    group = WorkerGroup(UnequalExecutor(capacities))
    with TemporaryDirectory() as folder:
        verifying, path = key.verifying, Path(folder) / INTEGER_MODEL
        path.write_bytes(model_file.dump(model))
        whole = load_integer_model(path)
        shared = load_cluster_prover(whole, path, verifying, group, Pool(1), SHARE_ALL, secret)
        attempt = ATTEMPT if options.hiding else None
        proofs = [
            prove(prover, prover.runner.run(integers), samples, b"", attempt) for prover in (key, shared)
        ]
    assert proofs[0] == proofs[1]


def test_the_model_of_a_key_with_workers_is_whole(small: Example) -> None:
    shared = small.shared(InProcessExecutor(2, create_worker), SHARE_ALL)
    assert model_file.dump(shared.model) == small.path.read_bytes()
    layer = next(iter(cluster(shared).split.values()))
    assert isinstance(shared.model.constants[layer.node.inputs[1]], np.memmap)
