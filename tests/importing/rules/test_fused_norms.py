"""Normalisations and softmax written by several nodes: one operator computes them, as onnxruntime does."""

import pytest

from tests.importing.onnx_comparison import assert_same
from tests.operators.proving import text_model

START = (
    "two = Constant <value_float=2.0> () half = Constant <value_float=0.5> () "
    "e = Constant <value_float=0.01> () last = Constant <value_ints=[-1]> () "
    "m = ReduceMean <axes=[-1]> (x) d = Sub (x, m) "
)
VARIANCE = "v = ReduceMean <axes=[-1]> (p) a = Add (v, e) "
CENTRED = {
    "powers": "p = Pow (d, two) {V}s = Sqrt (a) y = Div (d, s)",
    "products": "p = Mul (d, d) v = ReduceMean <axes=[-1]> (p) a = Add (e, v) "
    "s = Pow (a, half) y = Div (d, s)",
    "differences twice": "f = Sub (x, m) p = Mul (f, f) {V}s = Sqrt (a) r = Reciprocal (s) y = Mul (d, r)",
    "an inverse on the left": "o = Constant <value_float=1.0> () p = Mul (d, d) "
    "v = ReduceMean <axes=[-1]> (p) a = Add (v, e) s = Sqrt (a) r = Div (o, s) y = Mul (r, d)",
    "a negative power": "h = Neg (half) p = Mul (d, d) {V}r = Pow (a, h) y = Mul (d, r)",
}
PLAIN = {
    "mean square": "p = Mul (x, x) v = ReduceMean <axes=[1]> (p) a = Add (v, e) s = Sqrt (a) y = Div (x, s)",
    "sum of squares": "v = ReduceSumSquare <axes=[-1]> (x) s = Sqrt (v) y = Div (x, s)",
    "length": "s = ReduceL2 <axes=[2]> (x) y = Div (x, s)",
}
SOFTMAX = {
    "less the maximum": "l = ReduceMax <axes=[-1]> (x) z = Sub (x, l) p = Exp (z) "
    "s = ReduceSum (p, last) y = Div (p, s)",
    "plain": "p = Exp (x) s = ReduceSum (p, last) y = Div (p, s)",
}
OTHERS = {
    "another dividend": "p = Mul (d, d) {V}s = Sqrt (a) y = Div (x, s)",
    "whole numbers": (
        "c = Cast <to = 7> (x) w = Cast <to = 1> (c) p = Mul (w, w) {V}s = Sqrt (a) y = Div (x, s)"
    ),
    "another sum": "p = Exp (x) f = Exp (d) s = ReduceSum (f, last) y = Div (p, s)",
}


def kinds(body: str) -> set[str]:
    imported = assert_same(text_model(START + body.replace("{V}", VARIANCE), "float[1,3,6] x"))
    return {type(node).__name__ for node in imported.graph.nodes}


@pytest.mark.parametrize("body", CENTRED.values(), ids=CENTRED)
def test_deviations_over_their_root_are_a_normalisation(body: str) -> None:
    assert kinds(body) == {"FloatCentre", "FloatNormalise"}


@pytest.mark.parametrize("body", PLAIN.values(), ids=PLAIN)
def test_values_over_their_root_are_a_normalisation(body: str) -> None:
    assert "FloatNormalise" in kinds(body)
    assert "FloatQuotient" not in kinds(body)


@pytest.mark.parametrize("body", SOFTMAX.values(), ids=SOFTMAX)
def test_exponentials_over_their_sum_are_a_softmax(body: str) -> None:
    assert kinds(body) == {"FloatSoftmax"}


@pytest.mark.parametrize("body", OTHERS.values(), ids=OTHERS)
def test_other_quotients_stay_quotients(body: str) -> None:
    assert "FloatQuotient" in kinds(body)


def test_a_row_of_zeros_stays_one() -> None:
    body = "m = Constant <value_ints=[1, 0, 1]> () w = Cast <to=1> (m) z = Mul (x, w) "
    assert_same(text_model(body + "y = LpNormalization <axis=0, p=1> (z)", "float[2,3] x"))
