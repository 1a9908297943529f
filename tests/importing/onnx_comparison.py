"""Evaluating a float graph directly, and comparing it with onnxruntime on the model it came from."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.load import ImportedModel, import_model, import_proto
from deepprove_dist.operators.float_graph import FloatGraph

OPSETS = (11, 13, 17, onnx.defs.onnx_opset_version())


def model(body: str, opset: int = 17) -> onnx.ModelProto:
    """A model in ONNX's text form, ``body`` being everything after the opset."""
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}, "com.example": 1]>\n{body}')


def evaluate(graph: FloatGraph, inputs: dict[str, FloatArray]) -> dict[str, FloatArray]:
    values = dict(inputs)
    for node in graph.nodes:
        arguments = [values[name] for name in node.inputs]
        values[node.output] = node.evaluate(arguments)
        assert values[node.output].shape == graph.shapes[node.output]
    return {name: values[tensor] for name, tensor in graph.outputs.items()}


def numpy_type(kind: str) -> np.dtype[np.generic]:
    name = kind.removeprefix("tensor(").removesuffix(")")
    return np.dtype({"float": "float32", "double": "float64"}.get(name, name))


def assert_same(source: onnx.ModelProto | Path, rows: int = 1) -> ImportedModel:
    """Imports the model and holds its float graph against onnxruntime's run of the original file."""
    imported = import_model(source) if isinstance(source, Path) else import_proto(source)
    data = str(source) if isinstance(source, Path) else source.SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(1)
    inputs = {name: generator.normal(size=imported.graph.shapes[name]) for name in imported.graph.inputs}
    kinds = {value.name: numpy_type(value.type) for value in session.get_inputs()}
    feeds = {
        name: (inputs[name] if kind.kind == "f" else np.rint(3 * np.abs(inputs[name]))).astype(kind)
        for name, kind in kinds.items()
    }
    computed = evaluate(imported.graph, {name: value.astype(np.float64) for name, value in feeds.items()})
    names = [value.name for value in session.get_outputs()]
    for name, expected in zip(names, session.run(names, feeds), strict=True):
        assert computed[name].shape == expected.shape
        np.testing.assert_allclose(computed[name], expected, rtol=1e-4, atol=1e-5)
    return imported
