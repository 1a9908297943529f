"""Comparisons with thresholds and the paths of trees: exact, proven, and not to be forged."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist import canonical
from deepprove_dist.arrays import FloatArray
from deepprove_dist.errors import FormatError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.kernels import Pool
from deepprove_dist.model.inference import infer
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.decisions import FloatDecisions
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.prover import Prover, prove
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.comparison import differences
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.inputs import choose_inputs
from deepprove_dist.quantise.names import NewNames
from deepprove_dist.quantise.ordinary import Marked
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.quantise.report import compare
from deepprove_dist.quantise.select import quantise_best
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.attacks.lies import bumped
from tests.attacks.lying_prover import LyingProver, accepted
from tests.attacks.models import make_key
from tests.importing.tree_models import MODES, classical, classifier, regressor
from tests.lowering.integers import check_inference
from tests.records import replace

POOL, SAMPLES = Pool(2), 60
MODELS = {
    "a regressor": lambda random: regressor(random, modes=MODES),
    "one tree": lambda random: regressor(random, trees=1),
    "the largest of trees": lambda random: regressor(random, aggregate_function="MAX", modes=MODES),
    "three classes": lambda random: classifier(random, 3, ids=(0, 1, 2)),
    "a logistic function": lambda random: classifier(random, 2, post_transform="LOGISTIC"),
    "stumps": lambda random: regressor(random, trees=5, depth=1),
}


def quantised(model: onnx.ModelProto) -> tuple[IntegerModel, FloatModel, Samples]:
    """The integer model, and what it was calibrated on: quarters, which thresholds meet exactly."""
    float_model = FloatModel(import_proto(model))
    x = np.random.default_rng(3).integers(-8, 9, (SAMPLES, *float_model.graph.shapes["x"])) / 4
    samples = Samples({"x": x}, None)
    inputs = choose_inputs(float_model.graph, float_model, samples, 8)
    statistics = calibrate(float_model, samples)
    return quantise(float_model.graph, statistics, inputs=inputs).model, float_model, samples


@pytest.mark.parametrize("name", MODELS)
def test_trees_decide_as_onnxruntime_and_are_proven(name: str) -> None:
    model, float_model, samples = quantised(MODELS[name](np.random.default_rng(7)))
    graph = float_model.graph
    assert differences(model, graph) == []
    inputs = quantise_inputs(model, samples.inputs)
    key = Prover.generate(model, Options(max_batch=2), POOL)
    trace = key.runner.run({"x": inputs["x"][:2]})
    statement = verify(key.verifying, prove(key, trace, 2))
    (output,) = model.outputs
    assert (statement.output_integers[output.name] == trace.outputs[output.name]).all()
    real = np.stack([values[graph.outputs[output.name]] for values in float_model.run(samples)])
    close = key.runner.outputs(inputs)[output.name] * output.scale.array
    assert np.abs(close - real).max() < 0.02 * np.abs(real).max()
    values = infer(model, inputs).values
    for node in graph.nodes:
        if node.has_thresholds:
            expected = np.stack([run[node.output] for run in float_model.run(samples)])
            assert (values[node.output] == expected).all()


def block_diagonal(weight: FloatArray, groups: int) -> FloatArray:
    """The matrix [M, K] of weights [M, K / groups], each row of which reads its group alone."""
    whole = np.zeros((groups, len(weight) // groups, groups, weight.shape[1]))
    for group, rows in enumerate(weight.reshape(groups, -1, weight.shape[1])):
        whole[group, :, group] = rows
    return whole.reshape(len(weight), -1)


def test_samples_that_a_step_decides_are_counted() -> None:
    attributes = {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [0, 0, 0],
        "nodes_values": [0.25, 0.0, 0.0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        "target_treeids": [0, 0],
        "target_nodeids": [1, 2],
        "target_ids": [0, 0],
        "target_weights": [1.0, -1.0],
        "n_targets": 1,
    }
    float_model = FloatModel(import_proto(classical("TreeEnsembleRegressor", attributes, 1)))
    x = np.array([-1.0, 1.0, 0.25, 0.25 + 2**-24, 0.25 + 2**-10, 0.25 - 2**-24]).reshape(-1, 1, 1)
    best = quantise_best(float_model, Samples({"x": x}, None)).final
    comparison = compare(best.quantised, float_model, Marked.by_inputs(Samples({"x": x}, None)))
    assert comparison.turned == 1


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2]), st.sampled_from([1.0, 0.125, 0.01]), st.booleans())
def test_decisions_are_exact_for_integers(seed: int, groups: int, scale: float, strict: bool) -> None:
    random = np.random.default_rng(seed)
    weight = random.integers(-2, 3, (6, 4 // groups)).astype(np.float64)
    node = FloatDecisions("n", ("x",), "y", weight, random.integers(-9, 10, 6) / 2 * scale, groups, strict)
    low, high = int(random.integers(-300, -7)), int(random.integers(8, 300))
    source = QuantisedTensor("x", "x", Format(Scale.of(scale), low, high))
    part = node.integer_part([source], "y", [source.format.interval], NewNames(["x", "y"]))
    values = {"x": random.integers(-8, 9, (20, 1, 4)), **part.constants}
    for integer in part.nodes:
        operator = OPERATORS[integer.operator]
        values[integer.output] = operator.infer(integer, [values[name] for name in integer.inputs]).output
    # Less than half a step of the input from the threshold, a comparison of one value may go either way.
    whole = block_diagonal(weight, groups)
    sums = values["x"] @ whole.T - node.threshold / scale
    clear = (2 * np.abs(sums) > np.abs(weight).max(axis=1)) | ((weight != 0).sum(axis=1) != 1) | (scale == 1)
    assert ((values["y"] == (sums > (1e-6 if strict else -1e-6))) | ~clear).all()


def forest() -> IntegerModel:
    """Three small trees."""
    return quantised(regressor(np.random.default_rng(1), modes=MODES))[0]


def test_relations_hold_over_the_integers() -> None:
    model = forest()
    (x,) = model.inputs
    check_inference(model, {"x": np.random.default_rng(2).integers(x.lo, x.hi + 1, (5, *x.shape))})


def test_a_decision_or_a_sum_that_is_forged_is_refused() -> None:
    model = forest()
    key = make_key(model, folds=False)
    (x,) = model.inputs
    attacker = LyingProver(key, {"x": np.random.default_rng(4).integers(x.lo, x.hi + 1, (1, *x.shape))})
    assert accepted(key, attacker.honest)
    for node in attacker.model.nodes:
        if node.operator == "requantise":
            honest = attacker.inference(node).output
            for index in range(0, honest.size, 3):
                turned = 1 - 2 * int(honest.reshape(-1)[index])
                lie = attacker.run(
                    node,
                    lambda inference, index=index, turned=turned: replace(  # type: ignore[misc]
                        inference, output=bumped(inference.output, index, turned)
                    ),
                )
                assert not accepted(key, attacker.attempt(lie))


def test_a_key_without_a_relation_or_a_lookup_states_no_function() -> None:
    system = lower(forest()).system
    for part in ("relations", "lookups"):
        whole = getattr(system, part)
        for index in range(len(whole)):
            with pytest.raises(FormatError):
                check(canonical.replace(system, **{part: whole[:index] + whole[index + 1 :]}))
