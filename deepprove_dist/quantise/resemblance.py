"""Whether an integer model can be a quantisation of a float graph, layer by layer.

For each layer there must be one number k with |W - k w| <= 1/2 for all weights at once, the same for its
biases, and the same window. The table behind it must be an activation of its output: for some units u and s,
T(q) is the clamp of f(u q) / s rounded, off by one at most.
"""

from collections.abc import Iterator

import numpy as np

from deepprove_dist.importing.float_graph import (
    FloatActivation,
    FloatConcat,
    FloatConv,
    FloatDense,
    FloatGraph,
    FloatLinear,
    FloatMaxPool,
    FloatPad,
    FloatView,
)
from deepprove_dist.importing.pointwise import IDENTITY, Function, evaluate
from deepprove_dist.model.integer_model import IntegerModel, Node
from deepprove_dist.operators.requantise import read as read_requantisation
from deepprove_dist.operators.window import read_window
from deepprove_dist.protocol.table import IntArray, Table
from deepprove_dist.samples import FloatArray

# Relative to half a unit: float arithmetic is not exact to the last bit.
SLACK = 1e-6

# Places of a table that candidates for its units are tried at; the best one is checked at all.
PLACES = 512
UNITS = np.logspace(-7, 3, 4001)
REFINEMENTS = 3


def differences(model: IntegerModel, graph: FloatGraph) -> list[str]:
    """What speaks against the model being a quantisation of the graph; nothing, if it may be one."""
    layers = {node.name: node for node in graph.nodes if isinstance(node, FloatDense | FloatConv)}
    computed = [node for node in model.nodes if node.operator in ("dense", "conv")]
    missing = set(layers) - {node.name for node in computed}
    found = [f"layer '{name}' of the ONNX model is missing" for name in sorted(missing)]
    for node in computed:
        layer = layers.get(node.name)
        if layer is None:
            found.append(f"the ONNX model has no layer '{node.name}'")
        else:
            found += _compare_layer(model, node, layer)
    outputs = {node.name: node.output for node in graph.nodes if isinstance(node, FloatLinear)}
    for node in model.nodes:
        if node.operator == "requantise" and node.name in outputs:
            table = read_requantisation(node.attributes)[1]
            if not any(_is_table_of(table, each) for each in _activations(graph, outputs[node.name])):
                found.append(f"the table behind layer '{node.name}' is no activation of it")
    return found


def _compare_layer(model: IntegerModel, node: Node, layer: FloatDense | FloatConv) -> list[str]:
    weight = model.constants[node.inputs[1]]
    if weight.shape != layer.weight.shape:
        return [f"layer '{node.name}' has weights {weight.shape}, in the ONNX model {layer.weight.shape}"]
    found = []
    if not _one_scale(weight, np.asarray(layer.weight, dtype=np.float64)):
        found.append(f"the weights of layer '{node.name}' are not those of the ONNX model")
    bias = model.constants[node.inputs[2]] if len(node.inputs) == 3 else np.zeros(len(weight), dtype=np.int64)
    if not _one_scale(bias, np.asarray(layer.bias, dtype=np.float64)):
        found.append(f"the biases of layer '{node.name}' are not those of the ONNX model")
    if isinstance(layer, FloatConv) and (
        read_window(node, weight.shape[2:]) != layer.window or node.attributes["groups"] != layer.groups
    ):
        found.append(f"the windows of layer '{node.name}' are not those of the ONNX model")
    return found


def _one_scale(integers: IntArray, real: FloatArray) -> bool:
    """Whether some k has |integers - k * real| <= 1/2 everywhere: every element bounds k from both sides."""
    if np.any(integers[real == 0] != 0):
        return False
    magnitude, aligned = np.abs(real[real != 0]), (integers * np.sign(real))[real != 0]
    if magnitude.size == 0:
        return True
    half = 0.5 * (1 + SLACK)
    return float(((aligned - half) / magnitude).max()) <= float(((aligned + half) / magnitude).min())


def _activations(graph: FloatGraph, tensor: str) -> Iterator[Function]:
    """The functions of a tensor that nodes behind it compute, also behind what only moves values."""
    yield IDENTITY
    for node in graph.nodes:
        if tensor in node.inputs and isinstance(node, FloatActivation):
            yield node.function
        elif tensor in node.inputs and isinstance(node, FloatView | FloatMaxPool | FloatConcat | FloatPad):
            yield from _activations(graph, node.output)


def _is_table_of(table: Table, function: Function) -> bool:
    """Whether there are units with which the table is the function's."""
    lo, hi = table.interval()
    values = table.values()
    quotients = np.arange(table.first, table.first + table.size)
    inside = np.flatnonzero((values > lo) & (values < hi) & (values != 0))
    if inside.size == 0:
        inside = np.flatnonzero(values)
    places = inside[np.linspace(0, inside.size - 1, min(PLACES, inside.size)).astype(int)]
    if places.size == 0:
        return True
    units = UNITS
    for _ in range(REFINEMENTS):
        real = evaluate(function, quotients[places] * units[:, None])
        products = (real * values[places]).sum(axis=1)
        with np.errstate(all="ignore"):
            scales = (real**2).sum(axis=1) / products
            errors = np.abs(real / scales[:, None] - values[places]).max(axis=1)
        best = int(np.nanargmin(np.where(scales > 0, errors, np.inf)))
        step = units[1] / units[0]
        unit, scale = units[best], scales[best]
        units = np.geomspace(unit / step, unit * step, 401)
    expected = np.clip(np.rint(evaluate(function, quotients * unit) / scale), lo, hi)
    return bool(np.abs(expected - values).max() <= 1)
