"""Several images a sample, which a Reshape or Transpose makes of channels: they become groups."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from deepprove_dist.importing.load import import_proto
from deepprove_dist.kernels import Pool
from deepprove_dist.prover import Prover, prove
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.deviation import spread_error
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify

CONSTANTS = (
    "int64[4] s = {2, 1, 4, 4}, float[1] b = {2}, float[3,1,2,2] k = {1, 2, 3, -4, 5, 6, -7, 8, 9, 1, -1, 1}"
)


@pytest.mark.parametrize(
    "move", ["r = Reshape (x, s)", "r = Transpose <perm = [1, 0, 2, 3]> (x)"], ids=["reshape", "transpose"]
)
@pytest.mark.parametrize(
    "layers",
    [
        "y = Conv (r, k)",
        "h = Conv (r, k) y = Relu (h)",
        "h = BatchNormalization (r, b, b, b, b) y = Conv (h, k)",
        "h = Conv (r, k) p = MaxPool <kernel_shape = [2, 2]> (h) y = Relu (p)",
        "h = Conv (r, k) p = AveragePool <kernel_shape = [2, 2]> (h) y = Relu (p)",
        "p = MaxPool <kernel_shape = [2, 2]> (r) y = Conv (p, k)",
        "h = Conv (r, k) y = GlobalAveragePool (h)",
    ],
)
def test_images_are_proven(move: str, layers: str) -> None:
    text = (
        '<ir_version: 8, opset_import: ["": 17]> g (float[1,2,4,4] x) => (float[a,b,c,d] y) '
        f"<{CONSTANTS}> {{ {move} {layers} }}"
    )
    imported = import_proto(onnx.parser.parse_model(text))
    float_model = FloatModel(imported)
    samples = Samples({"x": np.random.default_rng(0).normal(size=(40, 1, 2, 4, 4))}, None)
    model = quantise(imported.graph, calibrate(float_model, samples)).model
    key = Prover.generate(model, Options(max_batch=2), Pool(2))
    first = Samples({"x": samples.inputs["x"][:2]}, None)
    trace = key.runner.run(quantise_inputs(model, first.inputs, clamp=True))
    statement = verify(key.verifying, prove(key, trace, 2))
    real = np.stack([values[imported.graph.outputs["y"]] for values in float_model.run(first)])
    assert spread_error(real, statement.output["y"]) < 0.05
