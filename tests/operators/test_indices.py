"""Indices that a model computes, or reads: exact, proven, and as onnxruntime has them."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.arrays import FloatArray
from deepprove_dist.errors import SamplesError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.kernels import Pool
from deepprove_dist.prover import Prover, prove
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.comparison import differences
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.inputs import choose_inputs
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.attacks.lies import bumped
from tests.attacks.lying_prover import LyingProver, accepted
from tests.attacks.models import make_key
from tests.importing.onnx_comparison import model
from tests.records import replace

POOL, SAMPLES = Pool(2), 40
WEIGHTS = (
    "float[4,5] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1, 2, 1, 0.5, 1, 2, -1, 0, 1}, "
    "float[7,3] rows = "
    "{0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1, 2, 1, 0.5, 1, 2, -1, 0, 1, 3}, "
    "float[3,7] columns = "
    "{0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1, 2, 1, 0.5, 1, 2, -1, 0, 1, 3}, "
    "int64 depth = {7}, float[2] values = {-1, 3}, int64[1] k = {3}"
)


def proven(
    body: str, outputs: str, samples: Samples, inputs: str
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """For each output the integer model's values and the float ones, of all samples."""
    source = model(f"g ({inputs}) => ({outputs}) <{WEIGHTS}> {{ {body} }}")
    imported = import_proto(source)
    float_model = FloatModel(imported)
    formats = choose_inputs(imported.graph, float_model, samples, 8)
    integer = quantise(imported.graph, calibrate(float_model, samples), inputs=formats).model
    integers = quantise_inputs(integer, samples.inputs)
    key = Prover.generate(integer, Options(max_batch=2), POOL)
    trace = key.runner.run({name: values[:2] for name, values in integers.items()})
    statement = verify(key.verifying, prove(key, trace, 2))
    assert differences(integer, imported.graph) == []
    results, runs = key.runner.outputs(integers), list(float_model.run(samples))
    compared = {}
    for output in integer.outputs:
        assert (statement.output_integers[output.name] == trace.outputs[output.name]).all()
        real = np.stack([values[imported.graph.outputs[output.name]] for values in runs])
        compared[output.name] = results[output.name] * output.scale.array, real
    return compared


def floats() -> Samples:
    return Samples({"x": np.random.default_rng(3).normal(size=(SAMPLES, 1, 4))}, None)


def identities(high: int, shape: tuple[int, ...] = (1, 2), low: int = 0) -> Samples:
    drawn = np.random.default_rng(3).integers(low, high, (SAMPLES, *shape))
    return Samples({"i": drawn.astype(np.float64)}, None)


EXACT = {
    "ArgMax": ("a = MatMul (x, v) y = ArgMax <axis = 1> (a)", "int64[1,p] y"),
    "ArgMin": ("a = MatMul (x, v) y = ArgMin <axis = 1, keepdims = 0> (a)", "int64[1] y"),
    "the last": ("a = MatMul (x, v) y = ArgMax <axis = 1, select_last_index = 1> (a)", "int64[1,p] y"),
    "Hardmax": ("a = MatMul (x, v) y = Hardmax (a)", "float[1,p] y"),
    "of an input": ("y = ArgMax <axis = 1> (x)", "int64[1,p] y"),
}


@pytest.mark.parametrize(("body", "outputs"), EXACT.values(), ids=EXACT)
def test_indices_of_extremes_are_proven(body: str, outputs: str) -> None:
    (result,) = proven(body, outputs, floats(), "float[1,4] x").values()
    close, real = result
    # Those that are within a step of each other may differ.
    assert (close != real).mean() < 0.1


GATHERED = {
    "Gather": ("y = Gather (rows, i)", "float[1,2,3] y"),
    "Gather along the last axis": ("y = Gather <axis = 1> (columns, i)", "float[3,1,2] y"),
    "OneHot": ("y = OneHot (i, depth, values)", "float[1,2,7] y"),
}


@pytest.mark.parametrize(("body", "outputs"), GATHERED.values(), ids=GATHERED)
@pytest.mark.parametrize("low", [0, -7])
def test_rows_at_public_indices_are_exact(body: str, outputs: str, low: int) -> None:
    (result,) = proven(body, outputs, identities(7, low=low), "int64[1,2] i").values()
    close, real = result
    assert np.abs(close - real).max() < 1e-3 * np.abs(real).max()


def test_rows_at_computed_indices() -> None:
    body = "a = MatMul (x, v) i = ArgMax <axis = 1> (a) y = Gather (rows, i)"
    (result,) = proven(body, "float[1,1,3] y", floats(), "float[1,4] x").values()
    close, real = result
    assert (np.abs(close - real) > 0.01).mean() < 0.1


def test_computed_rows_at_computed_indices() -> None:
    body = "a = MatMul (x, v) i = ArgMax <axis = 1, keepdims = 0> (a) y = Gather <axis = 1> (a, i)"
    (result,) = proven(body, "float[1,1] y", floats(), "float[1,4] x").values()
    close, real = result
    assert np.abs(close - real).max() < 0.02 * np.abs(real).max()


def test_an_input_of_indices_has_no_others() -> None:
    source = model(f"g (int64[1,2] i) => (float[1,2,3] y) <{WEIGHTS}> {{ y = Gather (rows, i) }}")
    imported = import_proto(source)
    assert imported.graph.wholes == {"i": (-7, 6)}
    samples = identities(7)
    integer = quantise(imported.graph, calibrate(FloatModel(imported), samples)).model
    assert integer.inputs[0].interval == (-7, 6)
    with pytest.raises(SamplesError):
        quantise_inputs(integer, {"i": np.full((1, 1, 2), 7.0)})


TOP = {
    "largest": ("a = MatMul (x, v) y, i = TopK (a, k)", 1),
    "smallest": ("a = MatMul (x, v) y, i = TopK <largest = 0> (a, k)", 1),
    "of an input": ("y, i = TopK (x, k)", 1),
    "in any order": ("y, i = TopK <sorted = 0> (x, k)", 1),
}


@pytest.mark.parametrize(("body", "axis"), TOP.values(), ids=TOP)
def test_the_largest_in_their_order(body: str, axis: int) -> None:
    results = proven(body, "float[1,3] y, int64[1,3] i", floats(), "float[1,4] x")
    close, real = results["y"]
    assert np.abs(close - real).max() < 0.02 * np.abs(real).max()
    close, real = results["i"]
    assert (close != real).mean() < 0.1
    assert all(len(set(row.ravel().tolist())) == 3 for row in close)


def test_equal_ones_come_in_the_order_of_their_indices() -> None:
    samples = Samples(
        {"i": np.random.default_rng(3).integers(0, 3, (SAMPLES, 1, 6)).astype(np.float64)}, None
    )
    results = proven("y, j = TopK (i, k)", "int64[1,3] y, int64[1,3] j", samples, "int64[1,6] i")
    for close, real in results.values():
        assert (close == real).all()


def test_columns_of_unlike_scales_have_one_order() -> None:
    drawn = np.random.default_rng(3).normal(size=(SAMPLES, 1, 4)) * [1, 1000, 0.001, 30]
    results = proven(
        "y, j = TopK (x, k)", "float[1,3] y, int64[1,3] j", Samples({"x": drawn}, None), "float[1,4] x"
    )
    assert all(len(set(row.ravel().tolist())) == 3 for row in results["j"][0])


def test_an_order_that_is_not_theirs_is_refused() -> None:
    """A tie broken wrongly, an index twice, another rank: one node is wrong, and all after it follows."""
    types = "int64[1,3] x) => (int64[1,2] y, int64[1,2] j) <int64[1] k = {2}>"
    source = model(f"g ({types} {{ y, j = TopK (x, k) }}")
    imported = import_proto(source)
    samples = Samples(
        {"x": np.random.default_rng(3).integers(0, 3, (SAMPLES, 1, 3)).astype(np.float64)}, None
    )
    integer = quantise(imported.graph, calibrate(FloatModel(imported), samples)).model
    key = make_key(integer, folds=False)
    attacker = LyingProver(key, {"x": np.array([[[2, 1, 2]]])})
    assert accepted(key, attacker.honest)
    lied = 0
    for node in attacker.model.nodes:
        if node.operator != "requantise":
            continue
        for step in (1, -1):
            lie = attacker.run(
                node,
                lambda honest, step=step: replace(  # type: ignore[misc]
                    honest, output=bumped(honest.output, 0, step)
                ),
            )
            assert not accepted(key, attacker.attempt(lie))
            lied += 1
    assert lied >= 4
