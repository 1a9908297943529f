"""Convolutions and pools in every form that ONNX gives a window, against onnxruntime."""

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.operators.conv import FloatConv
from tests.importing.onnx_comparison import assert_same, model

CONSTANTS = np.random.default_rng(0)


def weights(name: str, *shape: int) -> onnx.TensorProto:
    values = CONSTANTS.normal(size=shape).astype(np.float32)
    return onnx.numpy_helper.from_array(values, name)


def one_node(
    operator: str, source: tuple[int, ...], *inputs: onnx.TensorProto, **attributes: Any
) -> onnx.ModelProto:
    """A model of one node on x of the given shape and constants."""
    node = onnx.helper.make_node(operator, ["x", *(tensor.name for tensor in inputs)], ["y"], **attributes)
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [node],
        "g",
        [onnx.helper.make_tensor_value_info("x", kind, source)],
        [onnx.helper.make_tensor_value_info("y", kind, None)],
        list(inputs),
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)], ir_version=10)


@pytest.mark.parametrize("pads", ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("operator", ["Conv", "MaxPool", "AveragePool"])
def test_automatic_padding(operator: str, stride: int, pads: str) -> None:
    constants = (weights("w", 3, 2, 3, 2),) if operator == "Conv" else ()
    attributes = {"kernel_shape": [3, 2], "strides": [stride, 2], "auto_pad": pads}
    assert_same(one_node(operator, (1, 2, 7, 8), *constants, **attributes))


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("bias", [False, True])
def test_groups_and_bias(groups: int, bias: bool) -> None:
    constants = [weights("w", 8, 4 // groups, 3, 3), weights("b", 8)][: 1 + bias]
    assert_same(one_node("Conv", (1, 4, 5, 6), *constants, group=groups, pads=[1, 0, 2, 1]))


def test_one_spatial_axis_and_no_kernel_shape() -> None:
    constants = weights("w", 4, 3, 3), weights("b", 4)
    imported = assert_same(one_node("Conv", (1, 3, 11), *constants, dilations=[2], strides=[2], pads=[3, 1]))
    (node,) = imported.graph.nodes
    assert isinstance(node, FloatConv)
    assert node.window.kernel == (3,)


@pytest.mark.parametrize("operator", ["GlobalAveragePool", "GlobalMaxPool"])
@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (1, 2, 7), (2, 3, 1, 1)])
def test_global_pools(operator: str, shape: tuple[int, ...]) -> None:
    assert_same(one_node(operator, shape))


@settings(max_examples=150)
@given(data=st.data(), rank=st.integers(1, 2), operator=st.sampled_from(["Conv", "MaxPool", "AveragePool"]))
def test_any_window(data: st.DataObject, rank: int, operator: str) -> None:
    def draw(low: int, high: int) -> list[int]:
        return data.draw(st.lists(st.integers(low, high), min_size=rank, max_size=rank))

    kernel, size = draw(1, 4), draw(4, 9)
    attributes: dict[str, Any] = {"strides": draw(1, 3), "dilations": draw(1, 2), "kernel_shape": kernel}
    # onnxruntime takes a pool's padding below the kernel's size only.
    pads = [data.draw(st.integers(0, width - 1)) for width in (*kernel, *kernel)]
    attributes["pads"] = pads
    constants: tuple[onnx.TensorProto, ...] = ()
    if operator == "Conv":
        constants = (weights("w", 2, 3, *kernel), weights("b", 2))
    else:
        attributes["ceil_mode"] = data.draw(st.integers(0, 1))
    if operator == "AveragePool":
        attributes["count_include_pad"] = data.draw(st.integers(0, 1))
    source = one_node(operator, (1, 3, *size), *constants, **attributes)
    try:
        assert_same(source)
    except UnsupportedModelError as error:
        assume("is larger than an axis" not in str(error))
        raise


@pytest.mark.parametrize("operator", ["GlobalAveragePool", "GlobalMaxPool", "ReduceMean"])
def test_windows_longer_than_the_integer_model_allows(operator: str) -> None:
    with pytest.raises(UnsupportedModelError, match=r"its window is \("):
        import_proto(one_node(operator, (1, 2, 2**16 + 1)))


def test_padding_before_a_convolution_goes_into_it() -> None:
    text = """g (float[1,1,4,5] x) => (float[1,1,5,6] y) <float[1,1,2,2] w = {1, -2, 3, 0.5},
        int64[8] p = {0, 0, 1, 0, 0, 0, 1, 2}> { h = Pad (x, p) y = Conv (h, w) }"""
    imported = assert_same(model(text))
    (node,) = imported.graph.nodes
    assert isinstance(node, FloatConv)
    assert node.window.pads == (1, 0, 1, 2)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("y = Conv (x, x)", "the kernel .* is not a constant"),
        ("h = Flatten (x) y = Conv (x, k, h)", "the bias .* is not a constant"),
        ("y = Conv <kernel_shape = [3, 2]> (x, k)", "does not fit"),
        ("y = MaxPool <kernel_shape = [1, 1], pads = [1, 0, 0, 0]> (x)", "lies outside"),
        ("y = AveragePool <kernel_shape = [1, 1], pads = [0, 0, 0, 1]> (x)", "lies outside"),
        (
            "p, i = MaxPool <kernel_shape = [2, 2]> (x) c = Cast <to = 1> (i) y = Add (p, c)",
            "further outputs",
        ),
        (
            'y = MaxPool <kernel_shape = [2, 2], auto_pad = "SAME_UPPER", dilations = [2, 1]> (x)',
            "auto_pad is SAME_UPPER and its dila",
        ),
        ('y = MaxPool <auto_pad = "SAME_LOWER", kernel_shape = [2, 2], dilations = [1, 2]> (x)', "pads"),
        ("y = Conv <strides = [0, 1]> (x, k)", r"its strides are \[0, 1\]"),
        ('y = Conv <strides = [0, 1], auto_pad = "SAME_UPPER"> (x, k)', r"its strides are \[0, 1\]"),
        ("y = Conv <pads = [0, -1, 0, 0]> (x, k)", r"its pads are \[0, -1, 0, 0\]"),
        ("y = Conv <pads = [0, 1]> (x, k)", r"its pads are \[0, 1\]"),
        ("y = Conv <dilations = [1, 100000]> (x, k)", r"its dilations are \[1, 100000\]"),
        ("y = MaxPool <kernel_shape = [1, 100000000]> (x)", r"its kernel is \[1, 100000000\]"),
        ('y = Conv <auto_pad = "SAME"> (x, k)', "its auto_pad is 'SAME'"),
        ("y = Conv <group = 2> (x, k)", "do not fit 2 channels"),
        ("h = Concat <axis = 1> (x, x) y = Conv (h, k)", "do not fit 4 channels"),
        ("y = Conv (x, k, t)", "do not fit 2 channels"),
        ("h = Flatten (x) y = BatchNormalization (x, h, h, h, h)", "the scale .* is not a constant"),
        ("h = Flatten (x) y = GlobalMaxPool (h)", "one to three axes"),
    ],
)
def test_what_is_refused(body: str, reason: str) -> None:
    constants = "float[2,2,2,2] k = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}, float[3] t = {1, 2, 3}"
    source = model(f"g (float[1,2,4,5] x) => (float[a,b,c,d] y) <{constants}> {{ {body} }}")
    with pytest.raises(UnsupportedModelError, match=reason):
        import_proto(source)
