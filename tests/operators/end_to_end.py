"""Small networks from ONNX's text form to proofs that verify, and to outputs that are close."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx

from deepprove_dist.importing.load import ImportedModel
from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.prover import Prover, prove
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.comparison import differences
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.importing.onnx_comparison import assert_same

POOL, SAMPLES = Pool(2), 24


@dataclass(frozen=True)
class Quantised:
    """A model, its samples, and how the integers compare with the floats."""

    imported: ImportedModel
    model: IntegerModel
    samples: Samples


def network(body: str, constants: dict[str, np.ndarray] | None = None, opset: int = 17) -> onnx.ModelProto:
    """A model of ONNX's text form. ``body`` has inputs, outputs, whose shapes are inferred, and nodes."""
    source = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}]> g {body}')
    for output in source.graph.output:
        output.type.tensor_type.ClearField("shape")
    for name, values in (constants or {}).items():
        source.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    return source


def quantised(source: onnx.ModelProto, seed: int = 3) -> Quantised:
    """The float graph is held against onnxruntime first."""
    imported = assert_same(source)
    generator = np.random.default_rng(seed)
    shapes = {name: imported.graph.shapes[name] for name in imported.graph.inputs}
    samples = Samples(
        {name: generator.normal(size=(SAMPLES, *shape)) for name, shape in shapes.items()}, None
    )
    model = quantise(imported.graph, calibrate(FloatModel(imported), samples)).model
    return Quantised(imported, model, samples)


def assert_proven(source: onnx.ModelProto, error: float = 0.05) -> IntegerModel:
    """Keys, a proof of two samples that verifies, outputs like the floats, and the same model by audit."""
    result = quantised(source)
    model, imported = result.model, result.imported
    inputs = quantise_inputs(model, result.samples.inputs)
    key = Prover.generate(model, Options(max_batch=2), POOL)
    trace = key.runner.run({name: values[:2] for name, values in inputs.items()})
    statement = verify(key.verifying, prove(key, trace, 2))
    runs = list(FloatModel(imported).run(result.samples))
    for output in model.outputs:
        assert (statement.output_integers[output.name] == trace.outputs[output.name]).all()
        real = np.stack([values[imported.graph.outputs[output.name]] for values in runs])
        close = key.runner.outputs(inputs)[output.name] * np.asarray(output.scale)
        assert np.abs(close - real).max() <= error * np.abs(real).max()
    assert differences(model, imported.graph) == []
    return model
