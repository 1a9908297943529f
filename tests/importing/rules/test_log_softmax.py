"""Logarithms of sums of exponentials are proven, and close to those of onnxruntime."""

import pytest

from tests.operators.proving import assert_proven, text_model

V = "float[4,5] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1, 0.5, 1, -2, 0.75, -1, 0.25, 1, 2}"
BODIES = {
    "log of softmax": "y = LogSoftmax (a)",
    "log of softmax over another axis": "y = LogSoftmax <axis=1> (a)",
    "log of a sum of exponentials": "y = ReduceLogSumExp <axes=[2]> (a)",
    "without the axes": "y = ReduceLogSumExp <axes=[1, 2], keepdims=0> (a)",
    "an axis of one": "y = ReduceLogSumExp <axes=[0]> (a)",
    "log of softmax over an axis of one": "l = LogSoftmax <axis=0> (a) y = Sub (a, l)",
    "log of a sum": "e = Sigmoid (a) y = ReduceLogSum <axes=[2]> (e)",
}


def test_one_score_may_be_far_above_all_others() -> None:
    """Then calibration sees a logarithm of 0 only, which is infinite at the end of its range."""
    assert_proven(text_model("y = LogSoftmax (x)", "float[1,3,4] x"), 0.03, scale=3000.0)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_logarithms_are_proven_and_close(body: str) -> None:
    assert_proven(text_model("a = MatMul (x, v) " + body, "float[1,3,4] x", V), 0.03)
