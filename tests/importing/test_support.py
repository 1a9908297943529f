"""What is said to be supported is what the importer takes."""

from pathlib import Path

import onnx
import pytest

from deepprove_dist.errors import ModelError
from deepprove_dist.importing.expansions import EXPANSIONS
from deepprove_dist.importing.rules import RULES
from deepprove_dist.importing.support import FOLLOWS, NodeSupport, supported_nodes, supported_operators
from tests.importing.onnx_comparison import model


def support_of(source: onnx.ModelProto, folder: Path) -> tuple[NodeSupport, ...]:
    onnx.save(source, folder / "model.onnx")
    return supported_nodes(folder / "model.onnx")


def test_all_rules_are_listed() -> None:
    operators = supported_operators()
    assert [item.operator for item in operators] == sorted(
        {*RULES, *(expansion.name for expansion in EXPANSIONS.values())}
    )
    (pad,) = (item for item in operators if item.operator == "Pad")
    assert pad.supported == "by constant amounts, with a constant value"
    assert pad.attributes == ("mode",)
    assert pad.types[:3] == ("float16", "float32", "float64")


def test_nodes_of_a_supported_model(tmp_path: Path) -> None:
    body = "m = ReduceMean <axes = [1], keepdims = 0> (x) i = Identity (m) s = Shape (i) y = Reshape (i, s)"
    source = model(f"g (float[1,3,4,5] x) => (float[1,4,5] y) {{ {body} }}", 13)
    nodes = support_of(source, tmp_path)
    assert [(node.operator, node.supported) for node in nodes] == [
        ("ReduceMean", True),
        ("Identity", True),
        ("Reshape", True),
    ]
    assert nodes[0].becomes == ("Transpose", "Reshape", "AveragePool", "Reshape")
    assert nodes[1].becomes == ()


def test_nodes_of_an_unsupported_model(tmp_path: Path) -> None:
    body = "r = Relu (x) s = Bernoulli (r) q = NonZero (s) t = com.example.Relu (q) y = Exp (t)"
    nodes = support_of(model(f"g (float[4,4] x, string[2] z) => (float[4,4] y) {{ {body} }}"), tmp_path)
    assert [(node.node, node.operator, node.supported) for node in nodes] == [
        ("z", "graph input", False),
        ("Relu of r", "Relu", True),
        ("Bernoulli of s", "Bernoulli", False),
        ("NonZero of q", "NonZero", False),
        ("Relu of t", "com.example.Relu", False),
        ("Exp of y", "Exp", False),
    ]
    assert all(bool(node.reason) != node.supported for node in nodes)
    assert "onnx.utils.extract_model" in nodes[2].advice


def test_what_follows_from_others_is_not_held_against_a_model(tmp_path: Path) -> None:
    source = model("g (float[4,4] x) => (float[a] y) { s = com.example.Relu (x) y = Exp (s) }")
    source.graph.output[0].type.tensor_type.ClearField("shape")
    _, follows = support_of(source, tmp_path)
    assert not follows.supported
    assert follows.reason == FOLLOWS


def test_a_model_of_an_opset_that_is_not_read(tmp_path: Path) -> None:
    nodes = support_of(model("g (float[4] x) => (float[4] y) { y = Relu (x) }", 5), tmp_path)
    assert [node.operator for node in nodes if node.reason != FOLLOWS] == ["model"]


def test_a_model_that_contradicts_itself(tmp_path: Path) -> None:
    source = model("g (float[1,4] x) => (float[1,4] y) <float[3,1] k = {1,2,3}> { y = MatMul (x, k) }")
    with pytest.raises(ModelError):
        support_of(source, tmp_path)
