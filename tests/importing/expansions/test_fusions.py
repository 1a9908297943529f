"""What onnxruntime's optimiser writes becomes nodes of the standard that compute the same."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from deepprove_dist.importing.folding import fold_constants
from deepprove_dist.importing.load import copy_checked

Array = npt.NDArray[Any]
RANDOM = np.random.default_rng(0)


def normal(*shape: int) -> Array:
    return RANDOM.normal(size=shape).astype(np.float32)


def network(
    operator: str,
    inputs: dict[str, Array],
    constants: dict[str, Array],
    domain: str = "com.microsoft",
    opset: int = 23,
    outputs: int = 1,
    order: str = "",
    **attributes: Any,
) -> onnx.ModelProto:
    """A model of one node; ``order`` names its inputs where some are omitted."""
    names = order.split(" ") if order else [*inputs, *constants]
    names = ["" if name == "-" else name for name in names]
    results = ["y", *(f"y{index}" for index in range(1, outputs))]
    kept = ["y"] if outputs == 1 else ["y", results[-1]]
    node = helper.make_node(operator, names, results, "the node", domain=domain, **attributes)
    values = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in inputs.items()
    ]
    graph = helper.make_graph(
        [node],
        "g",
        values,
        [helper.make_empty_tensor_value_info(name) for name in kept],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def run(source: onnx.ModelProto, inputs: dict[str, Array]) -> list[Array]:
    session = onnxruntime.InferenceSession(source.SerializeToString(), providers=["CPUExecutionProvider"])
    results: list[Array] = session.run(None, inputs)
    return results


X, W, B = normal(1, 3, 8), normal(8, 8), normal(8)
IMAGE, KERNEL = normal(1, 3, 5, 5), normal(4, 3, 3, 3)
TOKENS = {"ids": np.array([[3, 1, 0]], np.int32), "kinds": np.array([[0, 1, 1]], np.int32)}
TABLES = {
    "words": normal(5, 8),
    "places": normal(6, 8),
    "types": normal(2, 8),
    "scale": B,
    "shift": normal(8),
}
MASK = np.array([[1, 1, 0]], np.int32)
PARAMETERS = {"scale": B, "shift": normal(8)}

Case = tuple[str, dict[str, Array], dict[str, Array], dict[str, Any]]
CASES: dict[str, Case] = {
    "Gelu": ("Gelu", {"x": X}, {}, {}),
    "BiasGelu": ("BiasGelu", {"x": X}, {"b": B}, {}),
    "FastGelu": ("FastGelu", {"x": X}, {}, {}),
    "FastGelu with a bias": ("FastGelu", {"x": X}, {"b": B}, {}),
    "QuickGelu": ("QuickGelu", {"x": X}, {}, {}),
    "QuickGelu, SiLU": ("QuickGelu", {"x": X}, {}, {"alpha": 1.0}),
    "FusedConv": ("FusedConv", {"x": IMAGE}, {"w": KERNEL, "b": normal(4)}, {"activation": "Relu"}),
    "FusedConv, leaky": (
        "FusedConv",
        {"x": IMAGE},
        {"w": KERNEL},
        {"activation": "LeakyRelu", "activation_params": [0.2], "pads": [1, 1, 1, 1]},
    ),
    "FusedConv, bounded": (
        "FusedConv",
        {"x": IMAGE},
        {"w": KERNEL},
        {"activation": "Clip", "activation_params": [0.0, 6.0]},
    ),
    "FusedConv, hard": (
        "FusedConv",
        {"x": IMAGE},
        {"w": KERNEL},
        {"activation": "HardSigmoid", "activation_params": [0.25, 0.4]},
    ),
    "FusedConv with a sum": (
        "FusedConv",
        {"x": IMAGE, "z": normal(1, 4, 3, 3)},
        {"w": KERNEL},
        {"activation": "Relu", "order": "x w - z"},
    ),
    "FusedGemm": (
        "FusedGemm",
        {"x": X[0]},
        {"w": W, "b": B},
        {"activation": "LeakyRelu", "activation_alpha": 0.3, "transB": 1, "alpha": 0.5},
    ),
    "FusedMatMul": ("FusedMatMul", {"x": X}, {"w": W}, {"transB": 1, "alpha": 0.25}),
    "FusedMatMul of two": ("FusedMatMul", {"x": X, "z": X}, {}, {"transA": 1}),
    "SimplifiedLayerNormalization": (
        "SimplifiedLayerNormalization",
        {"x": X},
        {"scale": B},
        {"domain": "", "axis": -1, "epsilon": 1e-3},
    ),
    "SkipLayerNormalization": (
        "SkipLayerNormalization",
        {"x": X, "z": normal(1, 3, 8)},
        PARAMETERS,
        {"epsilon": 1e-3},
    ),
    "SkipLayerNormalization with all": (
        "SkipLayerNormalization",
        {"x": X, "z": normal(1, 3, 8)},
        {**PARAMETERS, "b": B},
        {"outputs": 4},
    ),
    "SkipSimplifiedLayerNormalization": (
        "SkipSimplifiedLayerNormalization",
        {"x": X, "z": normal(1, 3, 8)},
        {"scale": B, "b": normal(8)},
        {"outputs": 4},
    ),
    "EmbedLayerNormalization": ("EmbedLayerNormalization", TOKENS, TABLES, {"outputs": 3}),
    "EmbedLayerNormalization, one kind": (
        "EmbedLayerNormalization",
        {"ids": TOKENS["ids"]},
        {name: value for name, value in TABLES.items() if name != "types"},
        {"order": "ids - words places - scale shift", "outputs": 3},
    ),
    "EmbedLayerNormalization with a mask": (
        "EmbedLayerNormalization",
        {**TOKENS, "m": MASK},
        TABLES,
        {"order": "ids kinds words places types scale shift m", "outputs": 2},
    ),
    "FusedMatMul of batches": (
        "FusedMatMul",
        {"x": normal(4, 2, 6, 3)},
        {"w": normal(5, 2, 6, 4)},
        {"transBatchA": 1, "transBatchB": 1, "transA": 1, "transB": 1},
    ),
    "Attention": ("Attention", {"x": X}, {"w": normal(8, 24), "b": normal(24)}, {"num_heads": 2}),
    "Attention, masked": (
        "Attention",
        {"x": X, "m": MASK},
        {"w": normal(8, 24), "b": normal(24)},
        {"num_heads": 4, "order": "x w b m"},
    ),
    "Attention, causal": (
        "Attention",
        {"x": X},
        {"w": normal(8, 24), "b": normal(24)},
        {"num_heads": 2, "unidirectional": 1, "scale": 0.3},
    ),
    "Attention, sizes": (
        "Attention",
        {"x": X},
        {"w": normal(8, 20), "b": normal(20)},
        {"num_heads": 2, "qkv_hidden_sizes": [8, 8, 4]},
    ),
    "MultiHeadAttention": (
        "MultiHeadAttention",
        {"q": X, "k": normal(1, 5, 8), "v": normal(1, 5, 8)},
        {},
        {"num_heads": 2},
    ),
    "MultiHeadAttention with a bias": (
        "MultiHeadAttention",
        {"q": X, "k": normal(1, 3, 8), "v": normal(1, 3, 8)},
        {"b": normal(24), "a": normal(1, 2, 3, 3)},
        {"num_heads": 2, "order": "q k v b - a"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_fusions(name: str) -> None:
    operator, inputs, constants, attributes = CASES[name]
    source = network(operator, inputs, constants, **attributes)
    folded = fold_constants(copy_checked(source))
    assert not {node.domain for node in folded.graph.node} - {""}
    for computed, expected in zip(run(folded, inputs), run(source, inputs), strict=True):
        np.testing.assert_allclose(computed, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("operator", ["LayerNormalization", "SimplifiedLayerNormalization"])
def test_normalisations_in_opsets_that_do_not_have_them(operator: str) -> None:
    """onnxruntime writes them there; onnx knows no shape of what they compute."""
    source = network(operator, {"x": X}, {"scale": B}, domain="", opset=13)
    checked = copy_checked(source)
    checked.graph.output[0].ClearField("type")
    folded = fold_constants(checked)
    (value,) = (value for value in folded.graph.output if value.name == "y")
    assert [axis.dim_value for axis in value.type.tensor_type.shape.dim] == [1, 3, 8]
    assert {node.op_type for node in folded.graph.node} <= {
        "LayerNormalization",
        "RMSNormalization",
        "Identity",
    }


@pytest.mark.parametrize(
    ("operator", "constants", "attributes"),
    [
        ("FusedConv", {"w": KERNEL}, {"activation": "Strange"}),
        ("GroupQueryAttention", {"w": W}, {}),
    ],
)
def test_other_fusions_stay(operator: str, constants: dict[str, Array], attributes: dict[str, Any]) -> None:
    source = network(operator, {"x": IMAGE}, constants, **attributes)
    assert [node.op_type for node in fold_constants(source).graph.node] == [operator]
