"""The whole way in a second: from an ONNX file to a verified proof."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from deepprove_dist.errors import VerificationError
from deepprove_dist.importing.load import ImportedModel, import_model, import_proto
from deepprove_dist.kernels import Pool
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.prover import Prover, prove
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples, read_samples
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import Statement, verify

DIGITS = Path(__file__).parents[1] / "assets" / "models" / "digits_mlp"


def two_layers() -> onnx.ModelProto:
    """4 -> 8 -> 3 with a ReLU in between."""
    generator = np.random.default_rng(0)
    shapes = {"w1": (8, 4), "b1": (8,), "w2": (3, 8), "b2": (3,)}
    weights = [
        numpy_helper.from_array(generator.normal(size=shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "w2", "b2"], ["y"], transB=1),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])
    graph = helper.make_graph(nodes, "two layers", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def prove_first_sample(
    imported: ImportedModel, samples: Samples, weights: Weights
) -> tuple[Prover, bytes, Statement]:
    model = quantise(imported.graph, calibrate(FloatModel(imported), samples)).model
    key = Prover.generate(model, Options(weights), Pool(2))
    trace = key.runner.run(quantise_inputs(model, samples.select(0).inputs))
    proof = prove(key, trace, 1)
    statement = verify(key_file.load(key_file.dump(key.verifying)), proof, weights=key.public_weights)
    return key, proof, statement


@pytest.mark.parametrize("weights", ["committed", "public"])
def test_two_layers(weights: Weights) -> None:
    imported = import_proto(two_layers())
    inputs = np.random.default_rng(1).normal(size=(100, 1, 4))
    samples = Samples({"x": inputs}, None)
    expected = next(iter(FloatModel(imported).run(samples)))
    key, proof, statement = prove_first_sample(imported, samples, weights)
    (name,) = statement.output
    assert np.allclose(statement.output[name], expected[name][None], atol=0.2)
    altered = bytearray(proof)
    altered[len(proof) // 2] ^= 1
    with pytest.raises(VerificationError):
        verify(key.verifying, bytes(altered), weights=key.public_weights)


def test_digits() -> None:
    imported = import_model(DIGITS / "model.onnx")
    shapes = {name: imported.graph.shapes[name] for name in imported.graph.inputs}
    _, proof, statement = prove_first_sample(
        imported, read_samples(DIGITS / "calibration.npz", shapes), "committed"
    )
    assert len(proof) < 60 * 1024
    assert [values.size for values in statement.output.values()] == [10]
