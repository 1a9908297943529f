"""Models of older opsets mean what onnxruntime computes from the file as it is."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import assert_same, evaluate, model

OLD = (7, 8, 9, 10)
W = "float[3,4] w = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}, float[3] b = {1, -2, 0.5}"
K = "float[2,2,2,2] k = {1, 2, 3, 4, 5, 6, 7, 8, 1, -2, 3, 4, -5, 6, 7, 8}, float[2] c = {0.5, 2}"


@pytest.mark.parametrize("opset", OLD)
@pytest.mark.parametrize(
    "body",
    [
        "y = Gemm <transB = 1> (x, w, b)",
        "h = Gemm <transB = 1, alpha = 2.0> (x, w, b) y = Relu (h)",
        "t = Transpose (w) h = MatMul (x, t) y = Add (h, b)",
        "y = Clip <min = -0.5, max = 0.75> (x)",
        "h = Sigmoid (x) d = Dropout <ratio = 0.4> (h) y = Mul (d, x)",
        "u = Unsqueeze <axes = [0]> (x) s = Squeeze <axes = [0]> (u) y = Tanh (s)",
        "i = Constant <value = int64[2] {-1, 2}> () y = Reshape (x, i)",
        "y = Pad <pads = [0, 1, 0, 2]> (x)",
        "y = Concat <axis = 1> (x, x)",
        "y = ReduceMean <axes = [-1], keepdims = 0> (x)",
        "y = LeakyRelu <alpha = 0.2> (x)",
        "y = Softsign (x)",
    ],
)
def test_dense_operators(body: str, opset: int) -> None:
    rank = "[a]" if "keepdims = 0" in body else "[a,b]"
    assert_same(model(f"g (float[1,4] x) => (float{rank} y) <{W}> {{ {body} }}", opset))


@pytest.mark.parametrize("opset", OLD)
@pytest.mark.parametrize(
    "body",
    [
        "y = Conv <pads = [1, 0, 0, 1], strides = [2, 1]> (x, k, c)",
        "y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (x)",
        "y = AveragePool <kernel_shape = [2, 3], count_include_pad = 1, pads = [1, 1, 0, 0]> (x)",
        "y = BatchNormalization <epsilon = 0.01> (x, c, c, c, c)",
        "y = GlobalAveragePool (x)",
        "y = PRelu (x, z)",
        "y = ReduceMean <axes = [2, 3], keepdims = 1> (x)",
        "y = Transpose <perm = [0, 2, 3, 1]> (x)",
    ],
)
def test_operators_on_images(body: str, opset: int) -> None:
    text = f"g (float[1,2,4,5] x) => (float[a,b,c,d] y) <{K}, float z = {{0.1}}> {{ {body} }}"
    assert_same(model(text, opset))


@pytest.mark.parametrize("kind", ["float16", "double", "float"])
@pytest.mark.parametrize("opset", [7, 10])
def test_bounds_have_the_type_of_what_they_bound(kind: str, opset: int) -> None:
    text = f"g ({kind}[1,4] x) => ({kind}[1,4] y) {{ h = Neg (x) y = Clip <max = 0.5, min = -0.25> (h) }}"
    imported = import_proto(model(text, opset))
    computed = evaluate(imported.graph, {"x": np.array([[1.0, -1.0, 0.125, 0.0]])})
    np.testing.assert_array_equal(computed["y"], [[-0.25, 0.5, -0.125, 0.0]])


def test_pools_that_round_up() -> None:
    body = "y = MaxPool <kernel_shape = [2, 2], strides = [2, 2], ceil_mode = 1> (x)"
    assert_same(model(f"g (float[1,2,4,5] x) => (float[a,b,c,d] y) {{ {body} }}", opset=10))


@pytest.mark.parametrize("opset", OLD)
@pytest.mark.parametrize("listed", [False, True])
def test_weights_among_the_inputs(opset: int, listed: bool) -> None:
    weight = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])]
    if listed:
        inputs.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [3, 4]))
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1)],
        "g",
        inputs + [helper.make_tensor_value_info("b", TensorProto.FLOAT, [3])] * listed,
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(weight, "w"), numpy_helper.from_array(weight[:, 0], "b")],
    )
    version = 3 if listed else 4
    source = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=version)
    assert assert_same(source).graph.inputs == ("x",)


@pytest.mark.parametrize(
    ("opset", "body", "text"),
    [
        (6, "y = Relu (x)", "uses opset 6.*\n.*opsets 7 to .*\n.*onnx.version_converter"),
        (99, "y = Relu (x)", "uses opset 99.*\n.*opsets 7 to .*\n.*older opset, or update onnx"),
        (9, "y = NoSuchOperator (x)", "uses opset 9.*\n.*\n.*version converter fails"),
    ],
)
def test_opsets_out_of_reach(opset: int, body: str, text: str) -> None:
    with pytest.raises(UnsupportedModelError, match=text):
        import_proto(model(f"g (float[1,4] x) => (float[1,4] y) {{ {body} }}", opset))


def test_an_opset_out_of_reach_hides_nothing_else() -> None:
    body = "h = Gemm <broadcast = 1, transB = 1> (x, w, b) s = RandomUniformLike (h) y = RandomNormalLike (s)"
    source = model(f"g (float[1,4] x) => (float[1,3] y) <{W}> {{ {body} }}", opset=6)
    with pytest.raises(UnsupportedModelError) as caught:
        import_proto(source)
    operators = [problem.operator for problem in caught.value.problems]
    assert operators == ["model", "RandomUniformLike", "RandomNormalLike"]


def test_other_operator_sets_stay_as_they_are() -> None:
    source = model("g (float[1,4] x) => (float[1,4] y) { h = ai.onnx.ml.Unknown (x) y = Relu (h) }", opset=9)
    source.opset_import.append(onnx.helper.make_opsetid("ai.onnx.ml", 1))
    with pytest.raises(UnsupportedModelError) as caught:
        import_proto(source)
    assert [problem.operator for problem in caught.value.problems] == ["ai.onnx.ml.Unknown"]
