"""Outputs of language models: all scores, those of the last position, or indices of the largest ones."""

import numpy as np
import onnx
import pytest

from deepprove_dist.errors import ChoiceError, ModelError
from deepprove_dist.importing.expanding.output_form import OutputForm
from deepprove_dist.importing.load import import_proto
from deepprove_dist.importing.selection import ModelSelection
from tests.importing.onnx_comparison import evaluate, model

SCORES = np.array([[[1.0, 3, 3, -2], [0, 0, 0, 0], [5, -1, 4, 6]]])


def source(output: str = "float[1,3,4] y") -> onnx.ModelProto:
    return model(f"g (float[1,3,4] x) => ({output}) {{ n = Neg (x) y = Neg (n) }}")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("argmax", [[1, 0, 3]]),
        ("top-1", [[[1], [0], [3]]]),
        ("top-3", [[[1, 2, 0], [0, 1, 2], [3, 0, 2]]]),
        ("last", [[[5, -1, 4, 6]]]),
    ],
)
def test_indices_and_the_last_position(form: str, expected: list[object]) -> None:
    """Of equal scores the first one counts."""
    for opset in (9, 11, 13, 17):
        body = "g (float[1,3,4] x) => (float[1,3,4] y) { n = Neg (x) y = Neg (n) }"
        imported = import_proto(model(body, opset), ModelSelection.of((), None, form))
        assert tuple(imported.graph.outputs) == (f"y.{form}",)
        assert imported.left_out == ("y",)
        computed = evaluate(imported.graph, {"x": SCORES})
        np.testing.assert_array_equal(computed[f"y.{form}"], expected)


def test_all_scores_are_the_outputs_of_the_file() -> None:
    assert tuple(import_proto(source(), ModelSelection.of((), None)).graph.outputs) == ("y",)
    assert ModelSelection.of((), None) == ModelSelection.of((), None, "all")


def test_a_chosen_tensor_has_the_form_and_outputs_of_integers_stay() -> None:
    imported = import_proto(source(), ModelSelection.of("n", None, "argmax"))
    assert tuple(imported.graph.outputs) == ("n.argmax",)
    body = """g (float[1,3,4] x) => (float[1,3,4] y, int64[1,3] t)
        { n = Neg (x) y = Neg (n) t = ArgMax <axis=2, keepdims=0> (x) }"""
    imported = import_proto(model(body), ModelSelection.of((), None, "argmax"))
    assert tuple(imported.graph.outputs) == ("y.argmax", "t")


def test_what_has_no_such_form_is_refused() -> None:
    with pytest.raises(ModelError, match="output 'y' has no axis of positions"):
        import_proto(
            model("g (float[1,4] x) => (float[1,4] y) { y = Neg (x) }"), ModelSelection.of((), None, "last")
        )
    taken = source()
    taken.graph.node[0].output[0] = taken.graph.node[1].input[0] = "y.argmax"
    with pytest.raises(ModelError, match=r"has a tensor 'y\.argmax'"):
        import_proto(taken, ModelSelection.of((), None, "argmax"))


@pytest.mark.parametrize(
    "text", ["", "argmin", "ArgMax", "top", "top-", "top-0", "top-03", "top--1", None, 3]
)
def test_other_forms_are_no_choice(text: object) -> None:
    with pytest.raises(ChoiceError, match="output_form is one of 'all', 'last', 'argmax' or 'top-K'"):
        OutputForm.of(text)
