"""Whether keys are those of a model.

A verifying key speaks of relations between numbers, not of layers. From the integer model beside it all that
it says can be made again and compared: tables, relations, and the commitment to the weights. Against another
integer model file the digests are compared; against an ONNX model, layer by layer, whether the integers are
its weights: for each layer there must be one scale k with |W - k w| <= 1/2 for all weights at once, the same
for its biases, and the table must be the layer's activation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepprove_dist.errors import FormatError
from deepprove_dist.importing.float_graph import FloatActivation, FloatDense, FloatGraph
from deepprove_dist.importing.load import import_model
from deepprove_dist.keys import INTEGER_MODEL, VERIFYING_KEY, load_integer_model, make_pool
from deepprove_dist.lowering.lower import lower
from deepprove_dist.model import file as model_file
from deepprove_dist.model.integer_model import IntegerModel, Node
from deepprove_dist.operators.requantise import read as read_requantisation
from deepprove_dist.protocol.key import VerifyingKey
from deepprove_dist.protocol.table import IntArray, Table
from deepprove_dist.prover import ProvingKey
from deepprove_dist.samples import FloatArray
from deepprove_dist.verifier import load_verifying_key

SLACK = 1e-6
"""Relative to half a unit: float arithmetic is not exact to the last bit."""


def audit(directory: str | Path, model: str | Path, threads: int | None = None) -> list[str]:
    """The differences between the keys in a folder and a model, ONNX or integer; none, if they fit.

    Raises OSError or InputError for files that cannot be read.
    """
    folder, path = Path(directory), Path(model)
    verifying = load_verifying_key(folder / VERIFYING_KEY)
    integer_model = load_integer_model(folder / INTEGER_MODEL)
    differences = _compare_key(integer_model, verifying, threads)
    if path.suffix == ".onnx":
        return differences + _compare_graph(integer_model, import_model(path).graph)
    if model_file.digest(load_integer_model(path)) != model_file.digest(integer_model):
        differences.append("the integer model beside the key is another one")
    return differences


def _compare_key(model: IntegerModel, verifying: VerifyingKey, threads: int | None) -> list[str]:
    differences = []
    if model_file.digest(model) != verifying.model_digest:
        differences.append("the verifying key names another integer model")
    again = lower(model).system
    for part in ("tensors", "inputs", "outputs", "tables", "relations", "lookups"):
        if getattr(again, part) != getattr(verifying.system, part):
            differences.append(f"the {part} of the verifying key are not those of the integer model")
    if not differences:
        try:
            ProvingKey.load(model, verifying, make_pool(threads))
        except FormatError as error:
            differences.append(str(error))
    return differences


def _compare_graph(model: IntegerModel, graph: FloatGraph) -> list[str]:
    layers = {node.name: node for node in graph.nodes if isinstance(node, FloatDense)}
    activations = {node.input: node.kind for node in graph.nodes if isinstance(node, FloatActivation)}
    dense = [node for node in model.nodes if node.operator == "dense"]
    differences = [
        f"layer '{name}' of the ONNX model is missing"
        for name in layers
        if name not in {n.name for n in dense}
    ]
    readers = {name: node for node in model.nodes for name in node.inputs[:1]}
    for node in dense:
        layer = layers.get(node.name)
        if layer is None:
            differences.append(f"the ONNX model has no layer '{node.name}'")
            continue
        differences += _compare_layer(model, node, layer)
        reader = readers.get(node.output)
        if reader is not None and reader.operator == "requantise":
            kind = activations.get(layer.output, "identity")
            if not _is_activation(read_requantisation(reader.attributes)[1], kind):
                differences.append(f"the table behind layer '{node.name}' is not its activation, {kind}")
    return differences


def _compare_layer(model: IntegerModel, node: Node, layer: FloatDense) -> list[str]:
    weight = model.constants[node.inputs[1]]
    if weight.shape != layer.weight.shape:
        return [f"layer '{node.name}' has weights {weight.shape}, in the ONNX model {layer.weight.shape}"]
    differences = []
    if not _one_scale(weight, np.asarray(layer.weight, dtype=np.float64)):
        differences.append(f"the weights of layer '{node.name}' are not those of the ONNX model")
    bias = model.constants[node.inputs[2]] if len(node.inputs) == 3 else np.zeros(len(weight), dtype=np.int64)
    if not _one_scale(bias, np.asarray(layer.bias, dtype=np.float64)):
        differences.append(f"the biases of layer '{node.name}' are not those of the ONNX model")
    return differences


def _one_scale(integers: IntArray, real: FloatArray) -> bool:
    """Whether some k has |integers - k * real| <= 1/2 everywhere: every element bounds k from both sides."""
    if np.any(integers[real == 0] != 0):
        return False
    magnitude, aligned = np.abs(real[real != 0]), (integers * np.sign(real))[real != 0]
    if magnitude.size == 0:
        return True
    half = 0.5 * (1 + SLACK)
    return float(((aligned - half) / magnitude).max()) <= float(((aligned + half) / magnitude).min())


def _is_activation(table: Table, kind: str) -> bool:
    """Whether T(q) is the activation of q, clamped to an interval: units of q and y are the same."""
    arguments = np.arange(table.first, table.first + table.size)
    expected = np.maximum(arguments, 0) if kind == "relu" else arguments
    lo, hi = table.interval()
    return bool(np.array_equal(table.values(), np.clip(expected, lo, hi)))
