"""Whatever is not supported is refused with its node, operator and what would be; all at once."""

import numpy as np
import onnx
import pytest

from deepprove_dist.errors import ModelError, UnsupportedModelError
from deepprove_dist.importing.load import copy_checked, import_proto
from tests.importing.onnx_comparison import assert_same, model

CONSTANTS = (
    "float[4,4] w = {1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1}, float[4] b = {1,2,3,4}, "
    "float[4,1] k = {1,2,3,4}, float[1,1,1] deep = {2}, float[4] o = {1,0,1,1}"
)


@pytest.mark.parametrize(
    ("nodes", "operator", "reason"),
    [
        ("y = Bernoulli (x)", "Bernoulli", "not supported"),
        ("y = Div (x, o)", "Div", "divides by zero"),
        ("y = Mod <fmod = 1> (x, o)", "Mod", "divides by zero"),
        ("h = MatMul (x, w) y = Clip (x, h)", "Clip", "not one number"),
        ("c = Cast <to = 16> (x) y = Cast <to = 1> (c)", "Cast", "FLOAT to BFLOAT16"),
        (
            "t = Constant <value = bool {1}> () r = Constant <value = float {0.5}> () y = Dropout (x, r, t)",
            "Dropout",
            "training_mode",
        ),
        ("s = NonZero (x) t = Shape (s) y = Reshape (x, t)", "NonZero", "not supported"),
        (
            "n = RandomNormal <shape = [4]> () h = MatMul (x, w) y = Add (h, n)",
            "RandomNormal",
            "not supported",
        ),
        ("y = com.example.Relu (x)", "com.example.Relu", "operator of 'com.example'"),
    ],
)
def test_refusals_name_operator_and_reason(nodes: str, operator: str, reason: str) -> None:
    source = model(f"g (float[4,4] x) => (float[4,4] y) <{CONSTANTS}> {{ {nodes} }}")
    with pytest.raises(UnsupportedModelError, match="Supported: ") as caught:
        import_proto(source)
    assert operator in [problem.operator for problem in caught.value.problems]
    assert any(reason in problem.reason for problem in caught.value.problems)


def test_all_problems_are_reported_by_node_name() -> None:
    source = model(
        f"g (float[4,4] x) => (float[4,4] y, float[4] c) <{CONSTANTS}> "
        "{ a = Bernoulli (x) r = Relu (a) d = Bernoulli (r) "
        "e = MatMul (r, w) y = Add (e, d) c = Abs (b) }"
    )
    for node, name in zip(source.graph.node, ["first", "fine", "second", "layer", "third", ""], strict=True):
        node.name = name
    with pytest.raises(UnsupportedModelError) as caught:
        import_proto(source)
    named = {(problem.node, problem.operator) for problem in caught.value.problems}
    lists = [line for line in str(caught.value).splitlines() if line.startswith("  Supported: ")]
    assert len(lists) == len({problem.supported for problem in caught.value.problems})
    assert all(f"'{problem.node}'" in str(caught.value) for problem in caught.value.problems)
    assert named == {("first", "Bernoulli"), ("second", "Bernoulli")}
    assert "Bernoulli 'first'" in str(caught.value)


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ("y = Add (x, whole)", "its inputs 'x' and 'whole' have different types, FLOAT and INT64"),
        ("y = Concat <axis = 0> (x, x, double)", "'x' and 'double' have different types, FLOAT and DOUBLE"),
        ("y = Mul (x, truth)", "its input 'truth' holds BOOL values"),
        ("y = Where (x, x, x)", "its input 'x' holds FLOAT values"),
        ("y = Reshape (x, b)", "its input 'b' holds FLOAT values"),
        ("h = Relu (x) y = Neg (h) i = ArgMax (x) z = Sub (h, i)", "'h' and 'i' have different types"),
    ],
)
def test_types_that_do_not_fit_are_named(node: str, reason: str) -> None:
    constants = (
        "int64[4] whole = {1,2,3,4}, bool[4] truth = {1,0,1,0}, double[4,4] double = {" + "1," * 15 + "1}"
    )
    outputs = "float[4,4] y, float[4,4] z" if "z =" in node else "float[4,4] y"
    source = model(f"g (float[4,4] x) => ({outputs}) <{constants}, {CONSTANTS}> {{ {node} }}")
    with pytest.raises(UnsupportedModelError, match=reason) as caught:
        import_proto(source)
    assert "Cast" in caught.value.problems[0].advice


def test_opsets_that_are_not_stated_are_asked_for() -> None:
    source = model("g (float[4] x) => (float[4] y) { y = Relu (x) }")
    del source.opset_import[:]
    with pytest.raises(ModelError, match="does not say which opset"):
        import_proto(source)
    head = '<ir_version: 8, opset_import: ["": 17]> g (float[4] x) => (float[4] y)'
    other = onnx.parser.parse_model(f"{head} {{ y = ai.onnx.ml.Binarizer (x) }}")
    with pytest.raises(ModelError, match=r"Binarizer of 'y' breaks .* no opset of its domain 'ai.onnx.ml'"):
        copy_checked(other)


def test_unknown_attributes_are_refused() -> None:
    source = model("g (float[1,4] x) => (float[1,4] y) { y = Relu <alpha = 2.0> (x) }")
    with pytest.raises(UnsupportedModelError, match="attributes \\['alpha'\\]"):
        import_proto(source)


def test_texts_are_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="graph input 'x': it holds STRING values"):
        import_proto(model("g (string[1,4] x) => (string[1,4] y) { y = Identity (x) }"))


def test_weights_that_are_not_finite_are_refused() -> None:
    source = model(f"g (float[4,4] x) => (float[4,4] y) <{CONSTANTS}> {{ y = MatMul (x, w) }}")
    source.graph.initializer[0].float_data[0] = float("nan")
    with pytest.raises(UnsupportedModelError, match="NaN"):
        import_proto(source)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    ("node", "role"),
    [
        ("Gemm (x, w)", "B"),
        ("Gemm (x, v, w)", "C"),
        ("MatMul (x, w)", "the right operand"),
        ("Add (x, w)", "the right operand"),
        ("Mul (w, x)", "the left operand"),
        ("Div (x, w)", "the right operand"),
        ("PRelu (x, w)", "the slope"),
        ("Conv (c, w)", "the kernel"),
        ("Conv (c, k, w)", "the bias"),
        ("BatchNormalization (c, w, o, o, o)", "the scale"),
        ("BatchNormalization (c, o, o, o, w)", "the variance"),
    ],
)
def test_constants_that_are_no_numbers_are_named(node: str, role: str, value: float) -> None:
    shapes = {"the kernel": (1, 1, 1, 1), "the bias": (1,), "the slope": (1,)}
    shape = (1,) if node.startswith("Batch") else shapes.get(role, (4, 4))
    weight = np.full(shape, value, np.float32)
    if value == np.inf and role == "the slope":
        weight.reshape(-1)[0] = np.nan
    constants = (
        "float[4,4] v = {1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1}, float[1,1,1,1] k = {1}, float[1] o = {1}, "
        "int64[4] s = {1, 1, 4, 4}"
    )
    source = model(f"g (float[4,4] x) => (float[a,b] y) <{constants}> {{ c = Reshape (x, s) y = {node} }}")
    source.graph.initializer.append(onnx.numpy_helper.from_array(weight, "w"))
    source.graph.node[1].name = "the node"
    source.graph.output[0].type.tensor_type.ClearField("shape")
    with pytest.raises(UnsupportedModelError) as caught:
        import_proto(source)
    (problem,) = caught.value.problems
    assert problem.node == "the node"
    assert problem.reason == f"{role} ('w') holds NaN or infinite values"


def test_infinite_bounds_bound_nothing() -> None:
    source = model("g (float[1,4] x) => (float[1,4] y) <float o = {0}> { y = Clip (x, o, w) }")
    source.graph.initializer.append(onnx.numpy_helper.from_array(np.array(np.inf, np.float32), "w"))
    assert_same(source)


@pytest.mark.parametrize("nodes", ["y = Gemm (x, e)", "y = MatMul (x, e)", "y = Add (x, f)"])
def test_empty_constants_are_named(nodes: str) -> None:
    source = model(f"g (float[1,4] x) => (float[a,b] y) {{ {nodes} }}")
    for name, shape in (("e", (4, 0)), ("f", (1, 0))):
        source.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(shape, np.float32), name))
    with pytest.raises(UnsupportedModelError, match=r"\('[ef]'\) is empty: its shape is \(\d, 0\)"):
        import_proto(source)


def test_a_variance_below_zero_is_named() -> None:
    text = "float[1] o = {1}, float[1] v = {-2}"
    source = model(
        f"g (float[1,1,2,2] x) => (float[a,b,c,d] y) <{text}> {{ y = BatchNormalization (x, o, o, o, v) }}"
    )
    with pytest.raises(UnsupportedModelError, match=r"the variance \('v'\) is not positive"):
        import_proto(source)


def problems_of(source: onnx.ModelProto) -> list[tuple[str, str]]:
    with pytest.raises(UnsupportedModelError) as caught:
        import_proto(source)
    return [(problem.operator, problem.node) for problem in caught.value.problems]


def test_what_reads_an_unsupported_node_is_checked_too() -> None:
    body = """s = RandomUniformLike (x)  q = MatMul (s, w)  t = Transpose (q)  m = MatMul (q, t)
        g = Div (m, s)  y = Clip (g, m)"""
    source = model(f"g (float[4,4] x) => (float[4,4] y) <{CONSTANTS}> {{ {body} }}")
    expected = [
        ("RandomUniformLike", "RandomUniformLike of s"),
        ("Clip", "Clip of y"),
    ]
    assert problems_of(source) == expected


def test_symbolic_axes_types_and_operators_are_one_list() -> None:
    """And what is computed from the unknown size is no problem of its own."""
    body = """s = Shape (x)  n = Gather (s, two)  u = Unsqueeze (n, zero)  c = Concat <axis = 0> (one, u)
        r = Reshape (x, c)  f = Relu (r)  e = Gather (w, i)  a = Add (f, three)  d = Clip (a)  g = Sigmoid (d)
        h = Mul (g, f)  k = Div (h, x)  y = Mul (h, f)"""
    constants = (
        "int64 two = {2}, int64[1] zero = {0}, int64[1] one = {-1}, float three = {3}, "
        "float[4,4] w = {1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1}"
    )
    source = model(
        f"g (float[N,4,L] x, int64[N,1] i) => (float[N,4,L] y, float[N,4,L] k, float[a,b,c] e) <{constants}> "
        f"{{ {body} }}"
    )
    assert problems_of(source) == [
        ("graph input", "x"),
    ]


def test_an_unknown_shape_alone_is_a_problem() -> None:
    body = "s = Shape (x) n = RandomUniformLike (s) k = Reshape (x, n) y = Relu (k)"
    source = model(f"g (float[4,4] x) => (float[a,b] y) {{ {body} }}")
    assert ("RandomUniformLike", "RandomUniformLike of n") in problems_of(source)


def test_constants_that_cannot_be_computed_are_one_problem() -> None:
    """Not one for each node that needs them."""
    body = "k = com.example.Weights (w) h = MatMul (x, k) y = Add (h, k)"
    source = model(f"g (float[4,4] x) => (float[4,4] y) <{CONSTANTS}> {{ {body} }}")
    assert problems_of(source) == [("com.example.Weights", "Weights of k")]


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ("com.microsoft.DynamicQuantizeMatMul (x, w, b)", "float model that this one was quantised from"),
        ("ai.onnx.ml.Novel (x)", "hummingbird"),
        ("com.microsoft.MatMulNBits (x, w)", "without onnxruntime's optimisations"),
        ("com.microsoft.nchwc.Conv (x, w)", "without onnxruntime's optimisations"),
        ("RandomUniformLike (x)", "onnx.utils.extract_model"),
        ("BatchNormalization <training_mode = 1> (x, b, b, b, b)", "model.eval"),
        ("Dropout (x, b, t)", "model.eval"),
        ("Cast <to = 16> (x)", "between floats, integers and truth values"),
        ("com.example.Relu (x)", "operators of the ONNX standard"),
    ],
)
def test_refusals_say_what_to_do(node: str, text: str) -> None:
    source = model(f"g (float[4,4] x) => (float[4,4] y) <{CONSTANTS}, bool t = {{1}}> {{ y = {node} }}")
    for domain in ("ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"):
        source.opset_import.append(onnx.helper.make_opsetid(domain, 1))
    with pytest.raises(UnsupportedModelError) as caught:
        import_proto(source)
    assert text in str(caught.value)
    assert "domain" not in str(caught.value)


@pytest.mark.parametrize(
    ("node", "why"),
    [
        ("Gemm (x, k)", "unification"),
        ("MatMul (x, k)", "Incompatible dimensions"),
        ("Concat <axis = 5> (x, x)", "axis must be in"),
        ("Reshape (x, t)", "multiple -1"),
        ("Squeeze (x, u)", "must be 1"),
    ],
)
def test_contradictions_name_the_node(node: str, why: str) -> None:
    constants = "float[3,1] k = {1,2,3}, int64[2] t = {-1,-1}, int64[1] u = {1}"
    source = model(f"g (float[1,4] x) => (float[1,4] y) <{constants}> {{ y = {node} }}")
    source.graph.node[0].name = "the node"
    text = f"contradicts itself at {node.split(maxsplit=1)[0]} 'the node': .*{why}"
    with pytest.raises(ModelError, match=text) as caught:
        import_proto(source)
    assert "\n" not in str(caught.value)


def test_a_model_without_outputs_is_refused() -> None:
    source = model("g (float[1,4] x) => (float[1,4] y) { y = Relu (x) }")
    del source.graph.output[:]
    with pytest.raises(ModelError, match="no output"):
        import_proto(source)
