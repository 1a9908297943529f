"""LpPool and GlobalLpPool, as onnxruntime computes them, and proven."""

import pytest

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import assert_same
from tests.operators.end_to_end import assert_proven, network

NODES = (
    "LpPool <kernel_shape = [2,3]> (x)",
    "LpPool <kernel_shape = [2,2], p = 1, strides = [2,1], pads = [1,0,0,1]> (x)",
    "LpPool <kernel_shape = [3,2], p = 3> (x)",
    "GlobalLpPool (x)",
    "GlobalLpPool <p = 1> (x)",
)


@pytest.mark.parametrize("node", NODES)
def test_pools(node: str) -> None:
    assert_same(network(f"(float[1,2,4,5] x) => (float[n] y) {{ y = {node} }}", opset=18))


def test_windows_outside_the_input_are_refused() -> None:
    body = "y = LpPool <kernel_shape = [1,1], pads = [2,2,0,0]> (x)"
    with pytest.raises(UnsupportedModelError, match="lies outside its input"):
        import_proto(network(f"(float[1,1,2,4] x) => (float[n] y) {{ {body} }}", opset=20))


def test_a_network_is_proven() -> None:
    body = "r = Relu (x) p = LpPool <kernel_shape = [2,2]> (r) y = GlobalAveragePool (p)"
    assert_proven(network(f"(float[1,2,4,5] x) => (float[n] y) {{ {body} }}", opset=18))
