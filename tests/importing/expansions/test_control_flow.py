"""If, Loop and Scan that run a known number of times become what they compute; others are refused."""

import numpy as np
import onnx
import onnxruntime
import pytest

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.expanding import scope
from deepprove_dist.importing.folding import fold_constants
from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import OPSETS, assert_same, model

THEN, ELSE = "then () => (t) { t = Relu (h) }", "other () => (e) { e = Neg (h) }"
IF = f"<then_branch = {THEN}, else_branch = {ELSE}>"
CONSTANTS = "float two = {2}, int64 three = {3}, int64 none = {0}, bool yes = {1}, bool no = {0}"

EMPTY = "float[0,1,4] {}"


def source(body: str, opset: int = 17, output: str = "float[a,b]", inputs: str = "") -> onnx.ModelProto:
    return model(
        f"g (float[1,4] x{inputs}) => ({output} y) <{CONSTANTS}> {{ h = Mul (x, two) {body} }}", opset
    )


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("condition", ["yes", "no"])
def test_the_branch_taken_is_inlined(condition: str, opset: int) -> None:
    imported = assert_same(source(f"y = If ({condition}) {IF}", opset))
    assert len(imported.graph.nodes) == 1


def test_conditions_on_shapes_are_constant() -> None:
    body = f"""s = Shape (h) k = Constant <value = int64[1] {{1}}> () n = Gather (s, k)
        m = Squeeze (n) c = Less (m, three) y = If (c) {IF}"""
    assert_same(source(body))


def test_branches_inside_branches() -> None:
    inner = f"inner () => (i) {{ f = Not (no) i = If (f) {IF} }}"
    assert_same(source(f"y = If (yes) <then_branch = {inner}, else_branch = {ELSE}>"))


def test_names_inside_a_branch_may_be_those_of_other_branches() -> None:
    branch = "{} () => (t) {{ a = Relu (h) t = Add (a, two) }}"
    graphs = f"<then_branch = {branch.format('u')}, else_branch = {branch.format('v')}>"
    assert_same(source(f"p = If (yes) {graphs} q = If (no) {graphs} y = Sub (p, q)"))


LOOP = """(int64 i, bool c, float[1,4] s) => (d, t, u) {
    d = Identity (c) f = Cast <to = 1> (i) w = Add (s, f) t = Relu (w) u = Mul (t, two) }"""


@pytest.mark.parametrize("opset", OPSETS)
def test_loops_are_unrolled(opset: int) -> None:
    body = f"l, q = Loop (three, yes, h) <body = b {LOOP}> m = ReduceMax <axes = [0], keepdims = 0> (q)"
    if opset >= 18:
        body = body.replace("<axes = [0], keepdims = 0> (q)", "<keepdims = 0> (q, first)")
    text = f"g (float[1,4] x) => (float[a,b] y) <{CONSTANTS}, int64[1] first = {{0}}>"
    proto = model(f"{text} {{ h = Mul (x, two) {body} y = Sub (l, m) }}", opset)
    assert len(assert_same(proto).graph.nodes) >= 6


def test_loops_end_where_their_condition_does() -> None:
    body = """(int64 i, bool c, float[1,4] s) => (d, t) {
        d = Less (i, three) f = Cast <to = 1> (i) t = Add (s, f) }"""
    assert_same(source(f"y = Loop ( , yes, h) <body = b {body}>"))
    assert_same(source(f"y = Loop (three, , h) <body = b {body}>"))


def test_loops_that_do_not_run() -> None:
    once = "(int64 i, bool c, float[1,4] s) => (c, t) { t = Neg (s) }"
    assert_same(source(f"l = Loop (none, yes, h) <body = b {once}> y = Relu (l)"))
    assert_same(source(f"l = Loop (three, no, h) <body = b {once}> y = Relu (l)"))


@pytest.mark.parametrize("opset", OPSETS)
def test_what_no_step_stacks_is_empty(opset: int) -> None:
    joined = "f = Flatten <axis = 2> (q) y = Concat <axis = 0> (l, f)"
    assert_same(source(f"l, q = Loop (none, yes, h) <body = b {LOOP}> {joined}", opset))
    scan = "(float[1,4] s, float[1,4] r) => (t, u) { t = Add (s, r) u = Relu (t) }"
    start = f"e = Constant <value = {EMPTY}> () l, q = Scan (h, e) <num_scan_inputs = 1, body = b {scan}>"
    # onnxruntime scans nothing of no elements.
    imported = import_proto(source(f"{start} y = Neg (l)", opset, "float[k,1,4] q, float[a,b]"))
    assert imported.left_out == ("q",)


def test_what_no_step_stacks_may_be_of_no_known_shape() -> None:
    loop = (
        "(int64 i, bool c, float[1,4] s) => (c, t, u) { t = Neg (s) k = NonZero (t) u = Cast <to = 1> (k) }"
    )
    with pytest.raises(UnsupportedModelError, match="nothing says of which shape 'q' is then"):
        import_proto(source(f"l, q = Loop (none, yes, h) <body = b {loop}> f = ReduceSum (q) y = Add (l, f)"))


@pytest.mark.parametrize(
    ("condition", "steps"),
    [
        ("d = Identity (c)", "1099511627776 times"),
        ("d = Constant <value = bool {1}> ()", "1099511627776 times"),
        ("k = Identity (yes) d = Identity (k)", "1099511627776 times"),
        ("k = Constant <value = int64 {-1}> () d = Greater (i, k)", "times or more"),
    ],
)
def test_loops_of_many_steps_are_refused_at_once(
    condition: str, steps: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The last one is written out until there is no room.
    monkeypatch.setattr(scope, "MOST_NODES", 20)
    body = f"(int64 i, bool c, float[1,4] s) => (d, t) {{ {condition} t = Neg (s) }}"
    many = f"n = Constant <value = int64 {{{2**40}}}> () y = Loop (n, yes, h) <body = b {body}>"
    with pytest.raises(UnsupportedModelError, match=steps) as caught:
        import_proto(source(many))
    assert "20000 nodes" in caught.value.problems[0].supported


def test_loops_without_end_are_refused() -> None:
    body = "(int64 i, bool c, float[1,4] s) => (c, t) { t = Neg (s) }"
    with pytest.raises(UnsupportedModelError, match="without end"):
        import_proto(source(f"y = Loop ( , yes, h) <body = b {body}>"))


def test_branches_inside_loops_depend_on_the_step() -> None:
    body = f"""(int64 i, bool c, float[1,4] h) => (c, t) {{ k = Equal (i, three) n = Not (k) z = If (n) {IF}
        t = Add (z, two) }}"""
    assert_same(source(f"y = Loop (three, yes, h) <body = b {body}>"))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("backwards", [0, 1])
def test_scans_are_unrolled(backwards: int, axis: int) -> None:
    scan = "(float[1,4] s, float[1] r) => (t, u) { t = Add (s, r) u = Relu (t) }"
    attributes = f"""num_scan_inputs = 1, scan_input_directions = [{backwards}], scan_input_axes = [{axis}],
        scan_output_directions = [{backwards}], scan_output_axes = [{abs(axis)}], body = b {scan}"""
    start = "Identity (x)" if axis else "Transpose (x)"
    body = f"r = {start} l, y = Scan (h, r) <{attributes}>"
    proto = source(body, output="float[a,b,c]")
    folded = fold_constants(proto)
    assert "Scan" not in {node.op_type for node in folded.graph.node}
    x = np.random.default_rng(0).normal(size=(1, 4)).astype(np.float32)
    (expected,), (computed,) = (
        onnxruntime.InferenceSession(form.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            ["y"], {"x": x}
        )
        for form in (proto, folded)
    )
    np.testing.assert_array_equal(computed, expected)


def test_functions_inside_branches_are_inlined() -> None:
    text = """<ir_version: 8, opset_import: ["": 17, "local": 1]>
        g (float[1,4] x) => (float[1,4] y) <bool yes = {1}> {
            y = If (yes) <then_branch = u () => (t) { t = local.twice (x) },
                else_branch = v () => (e) { e = Neg (x) }> }
        <domain: "local", opset_import: ["": 17]> twice (a) => (c) { c = Add (a, a) }"""
    assert_same(onnx.parser.parse_model(text))


@pytest.mark.parametrize(
    ("body", "operator"),
    [
        (f"m = ReduceMax <keepdims = 0> (x) c = Less (m, two) y = If (c) {IF}", "If"),
        (f"l, q = Loop (n, yes, h) <body = b {LOOP}> y = Relu (l)", "Loop"),
        (
            """y = Loop (three, yes, h) <body = b (int64 i, bool c, float[1,4] s) => (d, t) {
            t = Neg (s) m = ReduceMax <keepdims = 0> (t) d = Less (m, two) }>""",
            "Loop",
        ),
    ],
)
def test_computed_conditions_are_refused(body: str, operator: str) -> None:
    proto = source(body, inputs=", int64 n" if "(n," in body else "")
    with pytest.raises(UnsupportedModelError) as caught:
        import_proto(proto)
    (problem,) = (problem for problem in caught.value.problems if problem.operator == operator)
    assert "depends on the input's values" in problem.reason
    assert "onnx.utils.extract_model" in problem.advice
