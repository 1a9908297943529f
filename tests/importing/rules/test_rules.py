"""Every supported form of every operator means what onnxruntime computes."""

import numpy as np
import onnx
import pytest

from deepprove_dist.importing.load import import_proto
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.requantise import FloatActivation
from tests.importing.onnx_comparison import OPSETS, assert_same, model

W = "float[3,4] w = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}"
V = "float[4,3] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}"
B = "float[3] b = {1, -2, 0.5}"


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(
    "node",
    [
        "y = Gemm <transB = 1> (x, w, b)",
        "y = Gemm <transB = 1, alpha = 0.5, beta = 2.0> (x, w, b)",
        "y = Gemm <transB = 1> (x, w)",
        "y = Gemm <alpha = -3.0> (x, v, b)",
        "h = MatMul (x, v) y = Add (h, b)",
        "h = MatMul (x, v) y = Add (b, h)",
        "h = Gemm (x, v, b) y = Add (h, b)",
        "h = MatMul (x, v) y = Relu (h)",
        "h = MatMul (x, v) y = Identity (h)",
        "h = MatMul (x, v) y = Cast <to = 1> (h)",
        "c = Constant <value = float[3] {4, 5, -6}> () h = MatMul (x, v) y = Add (h, c)",
        "t = Transpose <perm = [1, 0]> (w) y = MatMul (x, t)",
        "c = Mul (b, b) h = MatMul (x, v) y = Add (h, c)",
    ],
)
def test_operators_agree_with_onnxruntime(node: str, opset: int) -> None:
    assert_same(model(f"g (float[1,4] x) => (float[1,3] y) <{W}, {V}, {B}> {{ {node} }}", opset))


@pytest.mark.parametrize(
    "bias", ["float c = {2}", "float[1] c = {2}", "float[1,3] c = {1, 2, 3}", "float[1,1] c = {-1}"]
)
def test_biases_broadcast(bias: str) -> None:
    for nodes in ("y = Gemm (x, v, c)", "h = MatMul (x, v) y = Add (h, c)"):
        assert_same(model(f"g (float[1,4] x) => (float[1,3] y) <{V}, {bias}> {{ {nodes} }}"))


def test_bias_may_be_stated_for_each_row_if_rows_agree() -> None:
    rows = "float[2,3] c = {1, 2, 3, 1, 2, 3}"
    assert_same(model(f"g (float[2,4] x) => (float[2,3] y) <{V}, {rows}> {{ y = Gemm (x, v, c) }}"))


def test_transposing_a_single_value_is_no_transposition() -> None:
    text = "g (float[1,1] x) => (float[1,2] y) <float[1,2] w = {2, 3}> { y = Gemm <transA = 1> (x, w) }"
    assert_same(model(text))


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(
    "node",
    [
        "y = Flatten (x)",
        "y = Flatten <axis = 0> (x)",
        "y = Flatten <axis = -1> (x)",
        "s = Constant <value = int64[2] {1, -1}> () y = Reshape (x, s)",
        "s = Constant <value = int64[3] {0, 4, 3}> () y = Reshape (x, s)",
    ],
)
def test_views(node: str, opset: int) -> None:
    rank = "[1,4,3]" if "{0, 4, 3}" in node else "[a,b]"
    assert_same(model(f"g (float[1,2,6] x) => (float{rank} y) {{ {node} }}", opset))


def test_dropout_is_the_identity() -> None:
    head = f"g (float[1,4] x) => (float[1,3] y) <{V}>"
    assert_same(model(f"{head} {{ h = MatMul (x, v) y = Dropout <ratio = 0.3> (h) }}", opset=11))
    assert_same(
        model(
            f"{head} {{ r = Constant <value = float {{0.4}}> () t = Constant <value = bool {{0}}> () "
            f"h = MatMul (x, v) y, mask = Dropout <seed = 3> (h, r, t) }}"
        )
    )


def test_casts_between_float_types() -> None:
    assert_same(
        model(
            "g (double[1,4] x) => (double[1,4] y) "
            "{ h = Cast <to = 1> (x) r = Relu (h) y = Cast <to = 11> (r) }"
        )
    )


def test_float16_inside_and_float32_outside() -> None:
    body = "h = Cast <to = 10> (x) m = MatMul (h, k) r = Relu (m) y = Cast <to = 1> (r)"
    source = model(f"g (float[1,4] x) => (float[1,1] y) {{ {body} }}")
    weight = np.array([[1], [-2], [3], [0.5]], np.float16)
    source.graph.initializer.append(onnx.numpy_helper.from_array(weight, "k"))
    graph = import_proto(source).graph
    assert [type(node) for node in graph.nodes] == [FloatDense, FloatActivation]


def test_several_inputs_outputs_and_readers() -> None:
    text = f"""g (float[1,4] x, float[1,4] z) => (float[1,3] p, float[1,3] q, float[1,3] r) <{V}, {B}> {{
        h = MatMul (x, v)  p = Add (h, b)  q = Relu (h)  k = Gemm (z, v)  r = Relu (k) }}"""
    imported = assert_same(model(text))
    assert imported.graph.inputs == ("x", "z")
    assert sum(isinstance(node, FloatDense) for node in imported.graph.nodes) == 3


def test_layer_without_its_bias_is_dropped_when_nothing_reads_it() -> None:
    text = f"g (float[1,4] x) => (float[1,3] y) <{V}, {B}> {{ h = MatMul (x, v) y = Add (h, b) }}"
    assert len(assert_same(model(text)).graph.nodes) == 1
