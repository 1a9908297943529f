"""Padding that onnx and onnxruntime do not mean alike: of dilated convolutions, and of pools with ceil_mode.

Automatic padding of dilated convolutions, which onnxruntime refuses, is what explicit pads compute.
"""

import numpy as np
import onnx
import onnxruntime
import pytest

from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import assert_same, evaluate, model

IMAGE = np.random.default_rng(0).normal(size=(1, 2, 7, 6))
KERNEL = np.random.default_rng(1).normal(size=(3, 2, 3, 2)).astype(np.float32)


def network(attributes: str) -> onnx.ModelProto:
    source = model(f"g (float[N,2,7,6] x) => (float[N,a,b,c] y) {{ y = Conv <{attributes}> (x, k) }}")
    source.graph.initializer.append(onnx.numpy_helper.from_array(KERNEL, "k"))
    return source


@pytest.mark.parametrize(
    ("automatic", "explicit"),
    [
        ("dilations = [2,2], auto_pad = 'SAME_UPPER'", "dilations = [2,2], pads = [2,1,2,1]"),
        ("dilations = [1,3], auto_pad = 'SAME_UPPER'", "dilations = [1,3], pads = [1,1,1,2]"),
        ("dilations = [1,3], auto_pad = 'SAME_LOWER'", "dilations = [1,3], pads = [1,2,1,1]"),
        (
            "dilations = [3,1], strides = [2,2], auto_pad = 'SAME_UPPER'",
            "dilations = [3,1], strides = [2,2], pads = [3,0,3,0]",
        ),
    ],
)
def test_pads(automatic: str, explicit: str) -> None:
    automatic = automatic.replace("'", '"')
    session = onnxruntime.InferenceSession(
        network(explicit).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (expected,) = session.run(["y"], {"x": IMAGE.astype(np.float32)})
    imported = import_proto(network(automatic))
    computed = evaluate(imported.graph, {"x": IMAGE})["y"]
    assert computed.shape == expected.shape
    np.testing.assert_allclose(computed, expected, rtol=1e-4, atol=1e-5)
    runnable = onnxruntime.InferenceSession(
        imported.onnx.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    np.testing.assert_allclose(runnable.run(["y"], {"x": IMAGE.astype(np.float32)})[0], expected, rtol=1e-5)


@pytest.mark.parametrize(
    "pools",
    [
        "y = MaxPool <kernel_shape = [2,2], strides = [2,2], pads = [1,1,1,1], ceil_mode = 1> (x)",
        "y = AveragePool <kernel_shape = [2,2], strides = [2,2], pads = [1,1,1,1], ceil_mode = 1> (x)",
        "y = AveragePool <kernel_shape = [2,2], strides = [2,2], pads = [1,1,1,1], ceil_mode = 1, "
        "count_include_pad = 1> (x)",
        # Along one axis a window is left out, along the other one it reaches beyond the pads.
        "y = MaxPool <kernel_shape = [2,3], strides = [2,2], pads = [1,0,1,1], ceil_mode = 1> (x)",
        # Between windows are gaps: one would begin after the axis without any padding.
        "y = MaxPool <kernel_shape = [2,2], strides = [3,3], pads = [1,0,1,0], ceil_mode = 1> (x)",
        "y = MaxPool <kernel_shape = [1,2], strides = [4,1], ceil_mode = 1> (x)",
        "y = AveragePool <kernel_shape = [1,3], strides = [4,2], ceil_mode = 1, count_include_pad = 1> (x)",
        "p = MaxPool <kernel_shape = [2,2], strides = [1,2], pads = [0,1,0,1], ceil_mode = 1> (x) "
        "y = MaxPool <kernel_shape = [2,2], strides = [2,2], pads = [1,1,1,1], ceil_mode = 1> (p)",
    ],
)
@pytest.mark.parametrize("opset", [13, 22])
def test_no_window_of_a_pool_begins_in_the_padding(pools: str, opset: int) -> None:
    assert_same(model(f"g (float[1,2,7,9] x) => (float[N,a,b,c] y) {{ {pools} }}", opset))
