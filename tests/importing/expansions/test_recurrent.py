"""RNN, GRU and LSTM, written out step by step, are what onnxruntime computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.setting_up import setup
from tests.importing.onnx_comparison import assert_same

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
LENGTH, INPUTS, HIDDEN = 3, 4, 2


def source(
    operator: str,
    *,
    directions: int = 1,
    bias: bool = True,
    states: str = "",
    lengths: int | tuple[int, ...] = 0,
    rows: int = 1,
    peepholes: bool = False,
    opset: int = 17,
    layout: int = 0,
    **attributes: Any,
) -> onnx.ModelProto:
    """A layer with all of its outputs; ``states`` are "constant" or "computed" ones before the first step."""
    gates, generator = GATES[operator] * HIDDEN, np.random.default_rng(5)
    shapes: dict[str, tuple[int, ...]] = {
        "w": (directions, gates, INPUTS),
        "r": (directions, gates, HIDDEN),
        "b": (directions, 2 * gates),
        "p": (directions, 3 * HIDDEN),
        "h0": (directions, rows, HIDDEN) if layout == 0 else (1, directions, HIDDEN),
        "c0": (directions, rows, HIDDEN) if layout == 0 else (1, directions, HIDDEN),
    }
    count = 2 if operator == "LSTM" else 1
    given = ["h0", "c0"][:count] if states else []
    inputs = ["x", "w", "r", "b" if bias else "", "lengths" if lengths else "", *given]
    if peepholes:
        inputs += [""] * (7 - len(inputs)) + ["p"]
    outputs = ["y", "h", "c"][: 1 + count]
    if layout:
        attributes["layout"] = layout
    node = helper.make_node(operator, inputs, outputs, "layer", hidden_size=HIDDEN, **attributes)
    sequence = (LENGTH, rows, INPUTS) if layout == 0 else (1, LENGTH, INPUTS)
    computed = {"x": sequence, **({name: shapes[name] for name in given} if states == "computed" else {})}
    constants = [
        numpy_helper.from_array(generator.normal(size=shapes[name]).astype(np.float32), name)
        for name in shapes
        if name in inputs and name not in computed
    ]
    if lengths:
        constants.append(numpy_helper.from_array(np.array(lengths, np.int32).reshape(-1), "lengths"))
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in computed.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


@pytest.mark.parametrize("operator", GATES)
@pytest.mark.parametrize(
    "form",
    [
        {},
        {"bias": False},
        {"direction": "reverse"},
        {"direction": "bidirectional", "directions": 2},
        {"states": "constant"},
        {"states": "computed"},
        {"lengths": 2},
        {"lengths": 2, "direction": "reverse", "states": "constant"},
        {"lengths": (3, 1), "rows": 2},
        {"lengths": (1, 2), "rows": 2, "direction": "bidirectional", "directions": 2, "states": "computed"},
        {"clip": 0.3},
        {"opset": 11},
    ],
    ids=str,
)
def test_layers_are_written_out(operator: str, form: dict[str, Any]) -> None:
    assert_same(source(operator, **form))


@pytest.mark.parametrize("states", ["", "computed"])
def test_forms_of_a_gru(states: str) -> None:
    assert_same(source("GRU", states=states, linear_before_reset=1))


@pytest.mark.parametrize("form", [{"peepholes": True}, {"input_forget": 1, "states": "constant"}], ids=str)
def test_forms_of_an_lstm(form: dict[str, Any]) -> None:
    assert_same(source("LSTM", **form))


def test_other_functions() -> None:
    assert_same(source("RNN", activations=["Relu"]))
    assert_same(source("RNN", activations=["LeakyRelu"], activation_alpha=[0.2]))
    assert_same(source("RNN", activations=["ScaledTanh"], activation_alpha=[0.5], activation_beta=[2.0]))
    assert_same(source("RNN", activations=["Affine"], activation_alpha=[0.5], activation_beta=[0.25]))
    assert_same(
        source(
            "LSTM",
            activations=["HardSigmoid", "Softsign", "Elu"],
            activation_alpha=[0.3, 0.7],
            activation_beta=[0.4],
        )
    )


@pytest.mark.parametrize("function", ["Affine", "ScaledTanh", "ThresholdedRelu"])
def test_functions_without_parameters_that_need_them_are_refused(function: str) -> None:
    with pytest.raises(UnsupportedModelError, match=f"its function {function} has no parameters"):
        import_proto(source("RNN", activations=[function]))


def test_computed_weights_are_refused() -> None:
    layer = source("LSTM")
    weights = next(tensor for tensor in layer.graph.initializer if tensor.name == "w")
    layer.graph.initializer.remove(weights)
    layer.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, weights.dims))
    with pytest.raises(UnsupportedModelError, match="LSTM 'layer'"):
        import_proto(layer)


def test_computed_lengths_are_refused_with_what_is_supported() -> None:
    layer = source("GRU", lengths=2)
    lengths = next(tensor for tensor in layer.graph.initializer if tensor.name == "lengths")
    layer.graph.initializer.remove(lengths)
    layer.graph.input.append(helper.make_tensor_value_info("lengths", TensorProto.INT32, lengths.dims))
    with pytest.raises(UnsupportedModelError, match=r"Supported: GRU .* sequences of constant lengths"):
        import_proto(layer)


def test_a_layer_is_proven() -> None:
    layer = source("LSTM")
    values = np.random.default_rng(1).normal(size=(60, LENGTH, 1, INPUTS)).clip(-2, 2)
    keys = setup(layer, values, transparent=True)
    assert not keys.report.warnings
    proof = keys.prove(values[:1])
    assert (keys.verifying.verify(proof).output["h"] == keys.infer(values[:1]).output["h"]).all()
