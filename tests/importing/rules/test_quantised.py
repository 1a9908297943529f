"""QuantizeLinear and DequantizeLinear: one rescaling to the format that they state."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.operators.fixed import FloatFixed
from tests.importing.onnx_comparison import assert_same, model

UINT8, INT8 = "float s = {0.05}, uint8 z = {120}", "float s = {0.05}, int8 z = {-3}"
PAIR = "q = QuantizeLinear (x, s, z) y = DequantizeLinear (q, s, z)"


def source(body: str, constants: str, opset: int = 17, output: str = "float[1,6]") -> onnx.ModelProto:
    return model(f"g (float[1,6] x) => ({output} y) <{constants}> {{ {body} }}", opset)


def formats(source: onnx.ModelProto) -> list[tuple[float, int, int]]:
    """Of each rescaling that states a format."""
    nodes = assert_same(source).graph.nodes
    return [(node.unit, node.lo, node.hi) for node in nodes if isinstance(node, FloatFixed)]


@pytest.mark.parametrize("opset", [11, 13, 17, 21])
def test_a_pair_is_one_rescaling(opset: int) -> None:
    for constants, ends in ((UINT8, (-120, 135)), (INT8, (-125, 130))):
        imported = assert_same(source(PAIR, constants, opset))
        (node,) = imported.graph.nodes
        assert isinstance(node, FloatFixed)
        assert (node.lo, node.hi) == ends
        assert node.unit == float(np.float32(0.05))


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        ("int16", (-32768, 32767)),
        ("uint16", (0, 65535)),
        ("int4", (-8, 7)),
        ("uint4", (0, 15)),
    ],
)
def test_other_widths(kind: str, ends: tuple[int, int]) -> None:
    body = "q = QuantizeLinear (x, s, z) y = DequantizeLinear (q, s, z)"
    stated = source(body, f"float s = {{0.25}}, {kind} z = {{0}}", 21)
    assert formats(stated) == [(0.25, *ends)]


def test_integers_may_be_an_output() -> None:
    for constants, kind in ((UINT8, "uint8"), (INT8, "int8")):
        assert_same(source("y = QuantizeLinear (x, s, z)", constants, output=f"{kind}[1,6]"))
        assert_same(source("y = QuantizeLinear (x, s)", constants, output="uint8[1,6]"))


@pytest.mark.parametrize("opset", [13, 21])
def test_integers_may_move_between_the_pair(opset: int) -> None:
    moved = """q = QuantizeLinear (x, s, z) c = Reshape (q, shape) t = Transpose <perm = [0, 2, 1]> (c)
        i = Identity (t) j = Concat <axis = 2> (i, t) m = DequantizeLinear (j, s, z)
        r = ReduceSum (m, axes) y = Flatten (r)"""
    constants = f"{UINT8}, int64[3] shape = {{1, 2, 3}}, int64[1] axes = {{2}}"
    assert_same(source(moved, constants, opset, "float[1,3]"))


def test_a_clip_between_the_pair_makes_it_narrower() -> None:
    clipped = """q = QuantizeLinear (x, s, z) c = Clip (q, low, high) y = DequantizeLinear (c, s, z)"""
    constants = "float s = {0.25}, int8 z = {0}, int8 low = {-8}, int8 high = {7}"
    assert formats(source(clipped, constants)) == [(0.25, -8, 7)]
    # Without zero inside, the pair states no range around it, and the clip stays.
    above = constants.replace("{-8}", "{2}")
    assert formats(source(clipped, above)) == [(0.25, -128, 127)]


def test_another_scale_after_the_integers() -> None:
    assert_same(
        source("q = QuantizeLinear (x, s, z) y = DequantizeLinear (q, t, z)", f"{INT8}, float t = {{0.5}}")
    )


@pytest.mark.parametrize("opset", [13, 17, 21])
def test_scales_by_channel(opset: int) -> None:
    constants = "float[3] s = {0.05, 0.125, 0.5}, uint8[3] z = {120, 0, 7}, int64[3] shape = {1, 3, 2}"
    body = """v = Reshape (x, shape) q = QuantizeLinear <axis = 1> (v, s, z)
        d = DequantizeLinear <axis = -2> (q, s, z) y = Flatten (d)"""
    assert_same(source(body, constants, opset))


def test_constants_are_dequantised_in_advance() -> None:
    constants = (
        "int8[2,6] w = {1, -2, 3, 4, 5, 6, -7, 8, 9, 10, -128, 127}, float[2] s = {0.5, 0.25}, "
        "int8[2] z = {0, 3}, float[3,2] t = {0.5, 1, 2, 4, 8, 16}"
    )
    body = """a = DequantizeLinear <axis = 0> (w, s, z) m = Gemm <transB = 1> (x, a)
        c = DequantizeLinear <axis = 0, block_size = 2> (b, t) n = MatMul (x, c) y = Add (m, n)"""
    stated = source(body, constants, 21, "float[1,2]")
    blocks = (
        np.arange(1, 13).reshape(6, 2).astype(onnx.helper.tensor_dtype_to_np_dtype(onnx.TensorProto.UINT4))
    )
    stated.graph.initializer.append(onnx.numpy_helper.from_array(blocks, "b"))
    imported = assert_same(stated)
    assert len(imported.graph.nodes) == 3


def refusal(body: str, constants: str, output: str = "float[1,6]", opset: int = 19) -> str:
    with pytest.raises(UnsupportedModelError) as caught:
        import_proto(source(body, constants, opset, output))
    return str(caught.value)


def test_what_is_refused() -> None:
    assert "the scale ('s') is not positive" in refusal(PAIR, "float s = {0}, uint8 z = {0}")
    assert "its scale or zero point (['r']) is computed" in refusal(
        "r = ReduceMax <keepdims = 0> (x) q = QuantizeLinear (x, r, z) y = DequantizeLinear (q, r, z)",
        "uint8 z = {0}",
        opset=17,
    )
    assert "it quantises to FLOAT8E4M3FN" in refusal(PAIR, "float s = {1}, float8e4m3fn z = {0}")
    assert "needs 6 of them" in refusal(PAIR, "float[3] s = {1, 2, 3}, uint8[3] z = {0, 0, 1}")


def test_dynamic_quantisation_is_refused_with_what_to_do() -> None:
    text = refusal(
        """q, s, z = DynamicQuantizeLinear (x) m = MatMulInteger (q, w, z, p) f = Cast <to = 1> (m)
        y = Mul (f, s)""",
        "int8[6,2] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, int8 p = {0}",
        "float[1,2]",
    )
    assert "DynamicQuantizeLinear" in text
    assert "give the float model" in text
    assert "zero point" not in text


@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul"])
def test_integers_are_added_and_multiplied(operator: str) -> None:
    """Narrow ones wrap, by a function after the sum or product."""
    text = f"""g (int64[1,6] x) => (float[1,6] y) <int64 k = {{3}}> {{ a = {operator} (x, k)
        y = Cast <to = 1> (a) }}"""
    graph = import_proto(model(text)).graph
    assert graph.wholes
    narrow = import_proto(model(text.replace("int64", "int8"))).graph
    assert narrow.nodes[-1].elementwise not in (None, graph.nodes[-1].elementwise)
