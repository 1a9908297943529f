"""Evaluating a float graph directly, and comparing it with onnxruntime on the model it came from."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from deepprove_dist.importing.float_graph import (
    FloatActivation,
    FloatAveragePool,
    FloatConcat,
    FloatConv,
    FloatDense,
    FloatGraph,
    FloatMaxPool,
    FloatNode,
    FloatPad,
    FloatSum,
    FloatTranspose,
)
from deepprove_dist.importing.load import ImportedModel, import_model, import_proto
from deepprove_dist.importing.pointwise import evaluate as evaluate_function
from deepprove_dist.operators.conv import convolve
from deepprove_dist.operators.window import Window
from deepprove_dist.samples import FloatArray

OPSETS = (11, 13, 17, onnx.defs.onnx_opset_version())


def model(body: str, opset: int = 17) -> onnx.ModelProto:
    """A model in ONNX's text form, ``body`` being everything after the opset."""
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}, "com.example": 1]>\n{body}')


def evaluate(graph: FloatGraph, inputs: dict[str, FloatArray]) -> dict[str, FloatArray]:
    values = dict(inputs)
    for node in graph.nodes:
        values[node.output] = _compute(node, [values[name] for name in node.inputs], graph)
    return {name: values[tensor] for name, tensor in graph.outputs.items()}


def _compute(node: FloatNode, inputs: list[FloatArray], graph: FloatGraph) -> npt.NDArray[Any]:
    value = inputs[0]
    match node:
        case FloatDense():
            return value @ node.weight.T + node.bias
        case FloatConv():
            bias = node.bias.reshape(-1, *(1 for _ in node.window.kernel))
            return convolve(value, node.weight.astype(np.float64), node.window, node.groups) + bias
        case FloatAveragePool():
            sums = _windows(node.window, value, 0.0).sum(axis=-1)
            return np.asarray(sums / np.prod(np.meshgrid(*node.divisors, indexing="ij"), axis=0))
        case FloatMaxPool():
            return np.asarray(_windows(node.window, value, -np.inf).max(axis=-1))
        case FloatSum():
            scaled = [c * x for c, x in zip(node.coefficients, inputs, strict=True)]
            return np.asarray(np.add.reduce(scaled) + node.constant)
        case FloatActivation():
            return evaluate_function(node.function, value)
        case FloatConcat():
            return np.concatenate(inputs, axis=node.axis)
        case FloatPad():
            rank = len(node.pads) // 2
            return np.pad(value, list(zip(node.pads[:rank], node.pads[rank:], strict=True)))
        case FloatTranspose():
            return value.transpose(node.permutation)
        case _:
            return value.reshape(graph.shapes[node.output])


def _windows(window: Window, values: FloatArray, outside: float) -> npt.NDArray[Any]:
    view = window.view(values, outside)
    return view.reshape(*view.shape[: view.ndim - window.rank], -1)


def assert_same(source: onnx.ModelProto | Path, rows: int = 1) -> ImportedModel:
    """Imports the model and holds its float graph against onnxruntime's run of the original file."""
    imported = import_model(source) if isinstance(source, Path) else import_proto(source)
    data = str(source) if isinstance(source, Path) else source.SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(1)
    inputs = {name: generator.normal(size=imported.graph.shapes[name]) for name in imported.graph.inputs}
    kinds = {value.name: "f8" if "double" in value.type else "f4" for value in session.get_inputs()}
    feeds = {name: inputs[name].astype(kind) for name, kind in kinds.items()}
    computed = evaluate(imported.graph, {name: value.astype(np.float64) for name, value in feeds.items()})
    names = [value.name for value in session.get_outputs()]
    for name, expected in zip(names, session.run(names, feeds), strict=True):
        assert computed[name].shape == expected.shape
        np.testing.assert_allclose(computed[name], expected, rtol=1e-4, atol=1e-5)
    return imported
