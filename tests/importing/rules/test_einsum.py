"""Einsum of one tensor, of two, and of a tensor and a constant, as onnxruntime computes it."""

import onnx
import pytest

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import assert_same

CONSTANT = "float[3,4] w = {1, 2, -1, 0.5, 3, -2, 1, 1, 0.25, 2, -3, 1}"


def source(equation: str, operands: str) -> onnx.ModelProto:
    body = f'y = Einsum <equation="{equation}"> ({operands})'
    text = f"g (float[1,2,3] x, float[1,2,5] z) => (float[n] y) <{CONSTANT}> {{ t = Relu (z) {body} }}"
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> {text}')


@pytest.mark.parametrize(
    ("equation", "operands"),
    [
        ("abc->cba", "x"),
        ("abc->ac", "x"),
        ("...c->c...", "x"),
        ("abc", "x"),
        ("abc,abe->ace", "x, z"),
        ("abc,ade->de", "x, z"),
        ("abc,abe", "x, z"),
        ("...bc,...bd->...cd", "x, z"),
        ("bac,cd->bad", "x, w"),
        ("cd,abc->dba", "w, x"),
        ("abc,cd->ab", "x, w"),
        ("abc,ed->bdc", "x, w"),
    ],
)
def test_einsum_is_that_of_onnxruntime(equation: str, operands: str) -> None:
    assert_same(source(equation, operands))


@pytest.mark.parametrize(
    ("equation", "operands", "reason"),
    [
        ("aab->ab", "x", "diagonal"),
        ("abc,cd->abc", "x, w", "of both operands"),
        ("abc,abe,abe->cde", "x, z, z", "3 operands"),
    ],
)
def test_what_is_refused(equation: str, operands: str, reason: str) -> None:
    body = source(equation, operands)
    with pytest.raises(UnsupportedModelError, match=reason):
        import_proto(body)
