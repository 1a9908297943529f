"""Operators that others state: products along axes, constants like a tensor, functions of the standard."""

import numpy as np
import onnx
import pytest

from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import assert_same, evaluate, model

NEWEST = onnx.defs.onnx_opset_version()


@pytest.mark.parametrize("axes", ["[1]", "[0, 2]", "[-1]"])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_products_over_axes(axes: str, keepdims: int) -> None:
    attributes = f"<axes = {axes}, keepdims = {keepdims}>"
    assert_same(model(f"g (float[3, 5, 2] x) => (float[n] y) {{ y = ReduceProd {attributes} (x) }}"))


@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
def test_products_up_to_each_element(exclusive: int, reverse: int) -> None:
    attributes = f"<exclusive = {exclusive}, reverse = {reverse}>"
    body = f"g (float[2, 5] x) => (float[2, 5] y) <int64 a = {{1}}> {{ y = CumProd {attributes} (x, a) }}"
    graph = import_proto(model(body, NEWEST)).graph
    x = np.random.default_rng(0).normal(size=(2, 5))
    ordered = x[:, ::-1] if reverse else x
    factors = np.concatenate([np.ones((2, 1)), ordered[:, :-1]], axis=1) if exclusive else ordered
    expected = np.cumprod(factors, axis=1)
    (result,) = evaluate(graph, {"x": x}).values()
    np.testing.assert_allclose(result, expected[:, ::-1] if reverse else expected)


def test_constants_like_a_tensor() -> None:
    assert_same(
        model(
            """g (float[3, 4] x) => (float[3, 4] y) <double two = {2}> {
            e = EyeLike <k = 1> (x)
            c = CastLike (two, x)
            s = Mul (e, c)
            d, m = Dropout (x)
            f = Cast <to = 1> (m)
            t = Add (d, f)
            y = Add (t, s)
            }"""
        )
    )


def test_a_function_of_the_standard_is_written_out() -> None:
    body = "g (float[2, 6] x, int64[2] t) => (float[2] y) <int64[2] t = {1, 4}>"
    source = model(
        f"{body} {{ y = NegativeLogLikelihoodLoss <reduction = 'none'> (x, t) }}".replace("'", '"')
    )
    del source.graph.input[1]
    x = np.random.default_rng(0).normal(size=(2, 6))
    (result,) = evaluate(import_proto(source).graph, {"x": x}).values()
    np.testing.assert_allclose(result, [-x[0, 1], -x[1, 4]])
