"""Atan, Asinh, Cosh and Sinh: as onnxruntime has them, and provable."""

import numpy as np
import pytest

from deepprove_dist.kernels import Pool
from deepprove_dist.prover import Prover, prove
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.comparison import differences
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.importing.onnx_comparison import assert_same, model

OPERATORS = ("Asinh", "Atan", "Cosh", "Sinh")
WEIGHTS = (
    "float[4,3] v = {0.5, -1, 0.25, 1, 0.75, -0.5, -1, 0.75, 1, -1, 0.5, 0.25}, "
    "float[3,2] w = {1, -2, 3, 1, -1, 2}"
)


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_network_with_the_function_is_imported_quantised_audited_and_proven(operator: str) -> None:
    body = f"a = MatMul (x, v) h = {operator} (a) y = MatMul (h, w)"
    imported = assert_same(model(f"g (float[1,4] x) => (float[1,2] y) <{WEIGHTS}> {{ {body} }}"))
    samples = Samples({"x": np.random.default_rng(3).uniform(-1, 1, (40, 1, 4))}, None)
    integers = quantise(imported.graph, calibrate(FloatModel(imported), samples)).model
    inputs = quantise_inputs(integers, samples.inputs)
    key = Prover.generate(integers, Options(), Pool(2))
    trace = key.runner.run({name: values[:1] for name, values in inputs.items()})
    statement = verify(key.verifying, prove(key, trace, 1))
    assert (statement.output_integers["y"] == trace.outputs["y"]).all()
    real = np.stack([values[imported.graph.outputs["y"]] for values in FloatModel(imported).run(samples)])
    close = key.runner.outputs(inputs)["y"] * integers.outputs[0].scale
    assert np.abs(close - real).max() < 0.05 * np.abs(real).max()
    assert differences(integers, imported.graph) == []
