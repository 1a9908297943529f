"""Proving up to named tensors, and sizes of inputs that the file leaves open."""

import numpy as np
import onnx
import onnxruntime
import pytest

from deepprove_dist.errors import KindError, ModelError, UnsupportedModelError
from deepprove_dist.importing.load import copy_checked, import_proto
from deepprove_dist.importing.selection import ModelSelection
from tests.importing.onnx_comparison import evaluate, model

BODY = """h = Relu (x) k = Constant <value = float[2] {1, 2}> () u = com.example.Strange (h)
    y = Exp (h) z = Neg (w)"""


def network(output: str = "float[1,4] y") -> onnx.ModelProto:
    return model(f"g (float[1,4] x, float[2] w) => ({output}) {{ {BODY} }}")


@pytest.mark.parametrize("names", [("h",), ("y", "h"), ("h", "x"), ("z", "y", "z")])
def test_any_tensor_may_be_an_output(names: tuple[str, ...]) -> None:
    source = network()
    imported = import_proto(source, ModelSelection.of(names, None))
    assert tuple(imported.graph.outputs) == tuple(dict.fromkeys(names))
    assert imported.left_out == (() if "y" in names else ("y",))
    assert (
        onnxruntime.InferenceSession(imported.onnx.SerializeToString(), providers=["CPUExecutionProvider"])
        .get_outputs()[0]
        .name
        == names[0]
    )
    inputs = {"x": np.array([[1.0, -1, 2, 0]]), "w": np.ones(2)}
    computed = evaluate(imported.graph, inputs)
    if "h" in names:
        np.testing.assert_array_equal(computed["h"], [[1, 0, 2, 0]])


def test_what_comes_after_the_chosen_tensors_is_not_looked_at() -> None:
    source = network("float[1,4] y, float[1,4] u")
    with pytest.raises(UnsupportedModelError, match="Strange"):
        import_proto(source)
    assert import_proto(source, ModelSelection.of("y", None)).left_out == ("u",)


def test_constant_outputs_are_left_out() -> None:
    imported = import_proto(network("float[1,4] y, float[2] k"))
    assert tuple(imported.graph.outputs) == ("y",)
    assert imported.left_out == ("k",)


def test_a_model_with_nothing_but_constants_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="graph output 'k': it is a constant"):
        import_proto(network("float[2] k"))
    with pytest.raises(UnsupportedModelError, match="graph output 'k': it is a constant"):
        import_proto(network(), ModelSelection.of(["k"], None))


def test_an_unknown_tensor_is_refused_with_others() -> None:
    with pytest.raises(ModelError, match=r"computes no tensor 'hh'; some that it computes: .'h'"):
        import_proto(network(), ModelSelection.of(["hh"], None))


def open_model() -> onnx.ModelProto:
    return model("g (float[N,C,L] x, float[N,L] m) => (float[a,b,c] y) { y = Relu (x) z = Relu (m) }")


def test_a_size_is_that_of_its_symbol_everywhere() -> None:
    imported = import_proto(open_model(), ModelSelection.of((), {"x": [1, 3, 5]}))
    assert imported.graph.shapes["m"] == (1, 5)
    imported = import_proto(open_model(), ModelSelection.of((), {"x": [4, 3, 5], "m": [4, 5]}))
    assert imported.graph.shapes["y"] == (4, 3, 5)


@pytest.mark.parametrize("has_axes", [True, False])
def test_inputs_without_a_shape_get_one(has_axes: bool) -> None:
    source = model("g (float[1,4] x) => (float[a,b] y) { y = Relu (x) }")
    if has_axes:
        source.graph.input[0].type.tensor_type.shape.dim[1].ClearField("dim_value")
    else:
        source.graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises(UnsupportedModelError, match=r"shapes={'x': "):
        import_proto(copy_checked(source))
    imported = import_proto(copy_checked(source), ModelSelection.of((), {"x": (1, 7)}))
    assert imported.graph.shapes["y"] == (1, 7)


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        ({"q": [1, 2]}, r"no input 'q'; its inputs are \['m', 'x'\]"),
        ({"x": [1, 3]}, "input 'x' has 3 axes"),
        ({"x": [1, 3, 5], "m": [1, 6]}, "axis 1 of input 'm' has size 5, not 6"),
        ({"x": [1, 0, 5]}, "sizes are 1 and more"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(shapes: dict[str, list[int]], text: str) -> None:
    with pytest.raises(ModelError, match=text):
        import_proto(open_model(), ModelSelection.of((), shapes))


def test_stated_sizes_stay() -> None:
    with pytest.raises(ModelError, match="axis 1 of input 'x' has size 4, not 5"):
        import_proto(network(), ModelSelection.of((), {"x": [1, 5]}))


def test_choices_have_their_types() -> None:
    with pytest.raises(KindError):
        ModelSelection.of([1], None)  # type: ignore[list-item]
    with pytest.raises(KindError):
        ModelSelection.of((), {"x": [1.5]})  # type: ignore[list-item]


def test_question_marks_name_no_size() -> None:
    """Paddle writes one for each size that is open."""
    source = model("g (float[1,2] x) => (float[a,b] y) { y = Relu (x) }")
    for axis in source.graph.input[0].type.tensor_type.shape.dim:
        axis.dim_param = "?"
    imported = import_proto(source, ModelSelection.of((), {"x": [3, 5]}))
    assert imported.graph.shapes["y"] == (3, 5)
