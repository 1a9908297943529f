"""Einsum of one tensor, of two, and of a tensor and a constant, as onnxruntime computes it."""

import onnx
import pytest

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import assert_same

CONSTANT = (
    "float[4,3] v = {1, 0, 2, 1, -1, 0.5, 3, 2, 1, -2, 1, 1}, float[3] d = {1, -2, 3}, "
    "float[2,3] k = {1, 2, 3, -1, 0.5, 2}, float[3,4] w = {1, 2, -1, 0.5, 3, -2, 1, 1, 0.25, 2, -3, 1}"
)


def source(equation: str, operands: str) -> onnx.ModelProto:
    body = f'y = Einsum <equation="{equation}"> ({operands})'
    nodes = f"t = Relu (z) m = Transpose <perm=[0,2,1]> (x) s = MatMul (m, x) {body}"
    text = f"g (float[1,2,3] x, float[1,2,5] z) => (float[n] y) <{CONSTANT}> {{ {nodes} }}"
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
        ("abc,cd->abdc", "x, w"),
        ("abc,cd->bc", "x, w"),
        ("adc,cb->ad", "x, w"),
        ("abc,abe,abe->cb", "x, z, t"),
        ("abc,abe,cd->ed", "x, z, w"),
        ("cd,abc,dc,c->bd", "w, x, v, d"),
        ("abb->ba", "s"),
        ("abb,cb->abc", "s, k"),
    ],
)
def test_einsum_is_that_of_onnxruntime(equation: str, operands: str) -> None:
    assert_same(source(equation, operands))


def test_operands_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="broadcasts"):
        import_proto(source("aab->ab", "x"))
