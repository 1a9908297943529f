"""Elementwise nodes: each means what onnxruntime computes, and chains of them are one function."""

import numpy as np
import onnx
import pytest

from deepprove_dist.operators.conv import FloatConv
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.pointwise import IDENTITY, affine, call, compose, evaluate, sigmoid
from deepprove_dist.operators.requantise import FloatActivation
from deepprove_dist.operators.weighted_sum import FloatSum
from tests.importing.onnx_comparison import assert_same, model

W = "float[4,4] w = {1, -2, 0.5, 3, 0, 1, 2, -1, 0.25, 1, 1, 1, -1, 2, 0, 0.5}"
NUMBERS = (
    "float half = {0.5}, float one = {1}, float two = {2}, float three = {3}, float six = {6}, "
    "float zero = {0}, float root = {1.4142135}, float[1] c = {0.044715}, float s = {0.7978845}"
)


def nodes_of(body: str, opset: int = 20) -> list[str]:
    """Imports a model with the tensors x [1, 4] and y, and names the types of its float nodes."""
    imported = assert_same(model(f"g (float[1,4] x) => (float[1,4] y) <{W}, {NUMBERS}> {{ {body} }}", opset))
    return [type(node).__name__ for node in imported.graph.nodes]


@pytest.mark.parametrize(
    "node",
    [
        "Abs (x)",
        "Celu <alpha = 1.5> (x)",
        "Clip (x, zero, six)",
        "Clip (x, zero)",
        # Bounds in the wrong order: ONNX takes the upper one.
        "Clip (x, six, zero)",
        "Clip (x, , one)",
        "Elu <alpha = 0.7> (x)",
        "Erf (x)",
        "Exp (x)",
        "Gelu (x)",
        'Gelu <approximate = "tanh"> (x)',
        "HardSigmoid <alpha = 0.3> (x)",
        "HardSwish (x)",
        "LeakyRelu <alpha = 0.2> (x)",
        "LeakyRelu <alpha = 1.5> (x)",
        "LeakyRelu <alpha = -3.0> (x)",
        "Max (x, half)",
        "Max (half, x)",
        "Max (x)",
        "Min (two, x, one)",
        "Min (x, one)",
        "Mish (x)",
        "Neg (x)",
        "PRelu (x, half)",
        "Pow (x, two)",
        "Pow (two, x)",
        "Reciprocal (x)",
        "Selu (x)",
        "Sigmoid (x)",
        "Softplus (x)",
        "Softsign (x)",
        "Tanh (x)",
        "Sub (one, x)",
        "Div (one, x)",
        "Add (x, x)",
        "Mul (x, x)",
    ],
)
def test_elementwise_operators(node: str) -> None:
    assert nodes_of(f"y = {node}") == ["FloatActivation"]


@pytest.mark.parametrize(
    "body",
    [
        # GELU as exporters write it, exactly and by tanh.
        "d = Div (x, root) e = Erf (d) a = Add (e, one) m = Mul (x, a) y = Mul (m, half)",
        "h = Mul (x, half) d = Div (x, root) e = Erf (d) a = Add (e, one) y = Mul (h, a)",
        """p = Pow (x, three) q = Mul (p, c) a = Add (x, q) b = Mul (a, s) t = Tanh (b) u = Add (t, one)
        h = Mul (x, half) y = Mul (h, u)""",
        # SiLU, hard swish, mish.
        "e = Sigmoid (x) y = Mul (x, e)",
        "a = Add (x, three) r = Clip (a, zero, six) m = Mul (x, r) y = Div (m, six)",
        "e = Softplus (x) t = Tanh (e) y = Mul (x, t)",
        # A chain, and one whose links have other names too.
        "a = Relu (x) b = Clip (a, zero, six) y = Sqrt (b)",
        "a = Relu (x) i = Identity (a) y = Sub (i, one)",
    ],
)
def test_chains_are_one_function(body: str) -> None:
    assert nodes_of(body) == ["FloatActivation"]
    # After a layer too, whose other readers do not matter.
    layered = body.replace("(x", "(k").replace(", x", ", k")
    assert nodes_of(f"k = MatMul (x, w) {layered}") == ["FloatDense", "FloatActivation"]


def test_functions_of_many_nodes_are_divided() -> None:
    """A sum of the two functions before it, again and again, would be an expression of millions."""
    nodes = ["t0 = Sin (x)", "t1 = Cos (x)"]
    for k in range(2, 60):
        nodes += [f"s{k} = Add (t{k - 1}, t{k - 2})", f"t{k} = Tanh (s{k})"]
    imported = assert_same(model(f"g (float[1,4] x) => (float[1,4] t59) {{ {' '.join(nodes)} }}"))
    assert len(imported.graph.nodes) > 10


def test_a_tensor_that_others_read_starts_a_new_chain() -> None:
    body = "r = Relu (x) a = Tanh (r) b = MatMul (r, w) y = Add (a, b)"
    assert nodes_of(body) == ["FloatActivation", "FloatActivation", "FloatDense", "FloatSum"]


def test_numbers_go_into_layers_and_sums() -> None:
    assert nodes_of("h = MatMul (x, w) a = Mul (h, two) b = Add (a, one) y = Div (b, six)") == ["FloatDense"]
    assert nodes_of("h = MatMul (x, w) a = Mul (h, two) y = Sub (x, a)") == ["FloatDense", "FloatSum"]
    assert nodes_of("h = MatMul (x, w) a = Sub (x, h) y = Mul (a, two)") == ["FloatDense", "FloatSum"]
    assert nodes_of("r = Relu (x) y = Mul (r, two)") == ["FloatActivation"]


@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (1, 3, 6), (1, 3)])
@pytest.mark.parametrize("layered", [False, True])
def test_batch_normalisation(shape: tuple[int, ...], layered: bool) -> None:
    generator = np.random.default_rng(2)
    parameters = [
        onnx.numpy_helper.from_array(generator.uniform(0.5, 2, 3).astype(np.float32), name)
        for name in ("scale", "shift", "mean", "variance")
    ]
    weight = generator.normal(size=(3, 3, *(1 for _ in shape[2:]))).astype(np.float32)
    nodes = [
        onnx.helper.make_node(
            "BatchNormalization",
            ["h" if layered else "x", "scale", "shift", "mean", "variance"],
            ["y"],
            epsilon=0.01,
        )
    ]
    if layered:
        parameters.append(onnx.numpy_helper.from_array(weight, "weight"))
        operator = "Conv" if len(shape) > 2 else "Gemm"
        nodes.insert(0, onnx.helper.make_node(operator, ["x", "weight"], ["h"]))
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [onnx.helper.make_tensor_value_info("x", kind, shape)],
        [onnx.helper.make_tensor_value_info("y", kind, shape)],
        parameters,
    )
    source = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    (node,) = assert_same(source).graph.nodes
    assert isinstance(node, FloatDense if layered and len(shape) == 2 else FloatConv)


@pytest.mark.parametrize(
    "body",
    [
        "y = Add (x, v)",
        "y = Sub (v, x)",
        "y = Mul (v, x)",
        "y = Div (x, v)",
        "h = Conv (x, k) y = Mul (h, v)",
        "h = Conv (x, k) a = Sub (h, v) y = Div (a, v)",
        "h = Conv (x, k) a = Mul (h, two) y = Add (a, v)",
    ],
)
def test_numbers_for_each_channel(body: str) -> None:
    constants = "float[1,2,1,1] v = {0.5, -3}, float[2,2,1,1] k = {1, 2, -1, 0.5}, float two = {2}"
    imported = assert_same(model(f"g (float[1,2,3,3] x) => (float[1,2,3,3] y) <{constants}> {{ {body} }}"))
    (node,) = imported.graph.nodes
    assert isinstance(node, FloatConv)


def test_sums_of_several_tensors() -> None:
    body = "a = MatMul (x, w) b = Relu (x) y = Sum (a, b, x)"
    imported = assert_same(model(f"g (float[1,4] x) => (float[1,4] y) <{W}> {{ {body} }}"))
    assert isinstance(imported.graph.nodes[-1], FloatSum)
    assert len(imported.graph.nodes[-1].inputs) == 3


def test_functions() -> None:
    silu = IDENTITY * call(sigmoid, IDENTITY)
    values = np.array([-1000.0, -1.0, 0.0, 2.0])
    np.testing.assert_allclose(evaluate(silu, values), [0, -0.26894142, 0, 1.76159416], rtol=1e-7)
    np.testing.assert_allclose(
        evaluate(compose(silu, IDENTITY * 2 + 1), values), evaluate(silu, 2 * values + 1)
    )
    assert compose(silu, IDENTITY) == silu
    assert affine((IDENTITY * 3 - 1) / 2 + IDENTITY) == (2.5, -0.5)
    assert affine(silu) is None
    assert affine(IDENTITY * IDENTITY) is None
    assert affine(call(np.divide, 1, IDENTITY)) is None
    assert np.isnan(evaluate(call(np.log, IDENTITY), np.array([-1.0]))).all()


def test_activation_nodes_know_their_function() -> None:
    imported = assert_same(model("g (float[1,4] x) => (float[1,4] y) { y = Relu (x) }"))
    (node,) = imported.graph.nodes
    assert isinstance(node, FloatActivation)
    assert node.function == call(np.maximum, IDENTITY, 0)
