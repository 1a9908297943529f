"""Whatever is not supported is refused with its node, operator and what would be; all at once."""

import pytest

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import model

CONSTANTS = (
    "float[4,4] w = {1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1}, float[4] b = {1,2,3,4}, "
    "float[4,1] k = {1,2,3,4}, float[4] o = {1,0,1,1}"
)


@pytest.mark.parametrize(
    ("nodes", "operator", "reason"),
    [
        ("y = Sin (x)", "Sin", "no rule"),
        ("h = MatMul (x, w) y = Mul (x, h)", "Mul", "both operands"),
        ("h = MatMul (x, w) y = Div (x, h)", "Div", "both operands"),
        ("y = Div (b, x)", "Div", "several values"),
        ("y = Div (x, o)", "Div", "divides by zero"),
        ("a = Constant <value = int64[1] {0}> () h = Unsqueeze (x, a) y = Add (x, h)", "Add", "broadcasts"),
        ("y = Add (x, k)", "Add", "varies over other axes"),
        ("h = MatMul (x, w) y = Add (h, k)", "Add", "varies over other axes"),
        ("h = MatMul (x, w) y = Sum (x, h, w)", "Sum", "is a constant"),
        ("h = MatMul (x, w) y = Clip (x, h)", "Clip", "not a constant"),
        ("h = MatMul (x, w) y = Max (x, h)", "Max", "not a constant"),
        ("y = Max (x, b)", "Max", "not one number"),
        ("y = Pow (x, x)", "Pow", "not a constant"),
        ("y = Concat <axis = 0> (x, w)", "Concat", "are constants"),
        ("y = MatMul (w, x)", "MatMul", "left operand"),
        ("y = MatMul (x, x)", "MatMul", "both operands"),
        ("y = Gemm <transA = 1> (x, w)", "Gemm", "transA"),
        ("y = Gemm (w, x)", "Gemm", "not a constant"),
        ("y = Gemm (x, w, x)", "Gemm", "not a constant"),
        ("y = Gemm (x, w, k)", "Gemm", "varies over other axes"),
        ("c = Cast <to = 10> (x) y = Cast <to = 1> (c)", "Cast", "FLOAT to FLOAT16"),
        ("c = Cast <to = 7> (x) y = Cast <to = 1> (c)", "Cast", "FLOAT to INT64"),
        ("y, m = Dropout (x) z = Not (m)", "Dropout", "further outputs"),
        (
            "t = Constant <value = bool {1}> () r = Constant <value = float {0.5}> () y = Dropout (x, r, t)",
            "Dropout",
            "training_mode",
        ),
        ("s = NonZero (x) t = Shape (s) y = Reshape (x, t)", "NonZero", "no rule"),
        ("n = RandomNormal <shape = [4]> () h = MatMul (x, w) y = Add (h, n)", "RandomNormal", "no rule"),
        ("y = com.example.Relu (x)", "Relu", "domain 'com.example'"),
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
        f"{{ a = Cos (x) r = Relu (a) d = Sin (r) e = MatMul (r, w) y = Add (e, d) c = Abs (b) }}"
    )
    for node, name in zip(source.graph.node, ["first", "fine", "second", "layer", "third", ""], strict=True):
        node.name = name
    with pytest.raises(UnsupportedModelError) as caught:
        import_proto(source)
    found = {(problem.node, problem.operator) for problem in caught.value.problems}
    lists = [line for line in str(caught.value).splitlines() if line.startswith("  Supported: ")]
    assert len(lists) == len({problem.supported for problem in caught.value.problems})
    assert all(f"'{problem.node}'" in str(caught.value) for problem in caught.value.problems)
    assert found == {("first", "Cos"), ("second", "Sin"), ("c", "graph output")}
    assert "Cos 'first'" in str(caught.value)


def test_unknown_attributes_are_refused() -> None:
    source = model("g (float[1,4] x) => (float[1,4] y) { y = Relu <alpha = 2.0> (x) }")
    with pytest.raises(UnsupportedModelError, match="attributes \\['alpha'\\]"):
        import_proto(source)


def test_integer_tensors_are_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="not a float tensor"):
        import_proto(model("g (int32[1,4] x) => (int32[1,4] y) { y = Relu (x) }"))


def test_weights_that_are_not_finite_are_refused() -> None:
    source = model(f"g (float[4,4] x) => (float[4,4] y) <{CONSTANTS}> {{ y = MatMul (x, w) }}")
    source.graph.initializer[0].float_data[0] = float("nan")
    with pytest.raises(UnsupportedModelError, match="NaN"):
        import_proto(source)
