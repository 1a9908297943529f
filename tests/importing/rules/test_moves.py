"""What moves values, beside constants and computed: as onnxruntime has it, or refused."""

from __future__ import annotations

import itertools

import numpy as np
import onnx
import pytest

from deepprove_dist.errors import Cause
from tests.importing.onnx_comparison import assert_same, model

INPUT = "float[1,3,4] x"
CONSTANTS = (
    "float[1,1,4] row = {1, -2, 0.5, 3}",
    "float[1,2,4] sevens = {7, 7, 7, 7, 7, 7, 7, 7}",
    "float[3,4] plain = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}",
    "float[2,4] given = {-1, -2, -3, -4, 0.5, 1.5, 2.5, 3.5}",
    "float[2,4] fives = {5, 5, 5, 5, 5, 5, 5, 5}",
    "float[1,2,4] cube = {-1, -2, -3, -4, 0.5, 1.5, 2.5, 3.5}",
    "float two_point_five = {2.5}, float[0] none = {}",
    "int64[2,1] rows = {2, 0}, int64[3,1] twice = {2, 0, 2}, int64[2,2] cells = {1, 3, 0, -1}",
    "int64[1,2,4] element = {0, 2, 1, 0, -1, 0, 2, 2}",
    "int64[1] zero = {0}, int64[1] one = {1}, int64[1] three = {3}, int64[2] flat = {3, 4}",
    "int64[6] pads = {0, 1, -1, 0, 2, 2}",
)
TWO_ROWS = "s = Reshape (x, flat) u = Slice (s, one, three, zero) t = Tanh (u) "
BODIES = {
    "a constant row before": "y = Concat <axis = 1> (row, x)",
    "constants around": "y = Concat <axis = 1> (row, x, sevens, x, row)",
    "equal constants after": "y = Concat <axis = -2> (x, sevens)",
    "rows replaced by constants": "s = Reshape (x, flat) y = ScatterND (s, rows, given)",
    "rows replaced by equal constants": "s = Reshape (x, flat) y = ScatterND (s, rows, fives)",
    "rows replaced": TWO_ROWS + "y = ScatterND (s, rows, t)",
    "rows of a constant replaced": TWO_ROWS + "y = ScatterND (plain, rows, t)",
    "rows added": TWO_ROWS + 'y = ScatterND <reduction = "add"> (s, rows, t)',
    "rows added to a constant": TWO_ROWS + 'y = ScatterND <reduction = "add"> (plain, rows, t)',
    "rows added twice": 's = Reshape (x, flat) t = Tanh (s) y = ScatterND <reduction = "add"> (s, twice, t)',
    "constants added": 's = Reshape (x, flat) y = ScatterND <reduction = "add"> (s, rows, given)',
    "elements replaced": "u = Slice (x, one, three, one) y = ScatterElements <axis = 1> (x, element, u)",
    "elements replaced by constants": "y = ScatterElements <axis = 1> (x, element, cube)",
    "elements added": "u = Slice (x, one, three, one) "
    'y = ScatterElements <axis = 1, reduction = "add"> (x, element, u)',
    "elements gathered": "y = GatherElements <axis = 1> (x, element)",
    "single elements gathered": "s = Reshape (x, flat) y = GatherND (s, cells)",
    "padded and cut": "y = Pad (x, pads, two_point_five)",
    "edges": 'y = Pad <mode = "edge"> (x, pads)',
}


def source(inputs: str, body: str) -> onnx.ModelProto:
    text = f"g ({inputs}) => (float y) <{', '.join(CONSTANTS)}> {{ {body} }}"
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 18]> {text}')
    model.graph.output[0].type.tensor_type.ClearField("shape")
    return model


@pytest.mark.parametrize("name", BODIES)
def test_moves(name: str) -> None:
    assert_same(source(INPUT, BODIES[name]))


COORDINATES = (
    *("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"),
    "tf_half_pixel_for_nn",
)
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


def resized(scales: tuple[float, float], coordinates: str, rounding: str, *, sizes: bool) -> onnx.ModelProto:
    shape = (5, 7)
    lengths = [int(scale * size) for scale, size in zip(scales, shape, strict=True)]
    stated = (
        f"sizes = Constant <value = int64[4] {{1, 2, {lengths[0]}, {lengths[1]}}}> () "
        f'y = Resize <mode = "nearest", coordinate_transformation_mode = "{coordinates}", '
        f'nearest_mode = "{rounding}"> (x, none, none, sizes)'
        if sizes
        else f"scales = Constant <value = float[4] {{1, 1, {scales[0]}, {scales[1]}}}> () "
        f'y = Resize <mode = "nearest", coordinate_transformation_mode = "{coordinates}", '
        f'nearest_mode = "{rounding}"> (x, none, scales)'
    )
    return source("float[1,2,5,7] x", stated)


SCALES: tuple[tuple[float, float], ...] = ((2, 3), (0.6, 1.7), (0.3, 0.5))


@pytest.mark.parametrize("coordinates", COORDINATES)
def test_nearest_positions(coordinates: str) -> None:
    for rounding, scales, sizes in itertools.product(ROUNDINGS, SCALES, (True, False)):
        model = resized(scales, coordinates, rounding, sizes=sizes)
        # The newest one of the standard that has the mode.
        model.opset_import[0].version = 11 if coordinates == "tf_half_pixel_for_nn" else 18
        assert_same(model)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("coordinates", COORDINATES[:-1])
def test_positions_in_the_middle_of_two(coordinates: str, rounding: str) -> None:
    # Of 13 and 12 positions: some lie at halves and whole numbers but for float32's rounding.
    for size, count in ((13, 16), (12, 15), (12, 17), (12, 4), (13, 19)):
        for scale in (count / size, (count + 0.37) / size):
            node = (
                f'y = Resize <mode = "nearest", coordinate_transformation_mode = "{coordinates}", '
                f'nearest_mode = "{rounding}"> (x, none, scales)'
            )
            scales = f"scales = Constant <value = float[3] {{1, 1, {float(np.float32(scale))!r}}}> ()"
            assert_same(source(f"float[1,1,{size}] x", f"{scales} {node}"))


def test_what_engines_compute_otherwise_is_warned_of() -> None:
    corners = assert_same(resized((0.7, 1.5), "align_corners", "floor", sizes=False))
    assert {warning.cause for warning in corners.warnings} == {Cause.CONVENTION}
    assert "no whole number of positions" in corners.warnings[0].message
    (warning,) = assert_same(resized((1.1, 1), "half_pixel", "floor", sizes=False)).warnings
    assert "it keeps its shape with a scale of 1.1" in warning.message
    assert not assert_same(resized((2, 3), "align_corners", "floor", sizes=False)).warnings


@pytest.mark.parametrize("opset", [7, 9])
def test_upsample(opset: int) -> None:
    scales = np.array([1, 1, 2, 3], dtype=np.float32)
    inputs = [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, (1, 2, 3, 2))]
    outputs = [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, (1, 2, 6, 6))]
    if opset == 7:
        node = onnx.helper.make_node("Upsample", ["x"], ["y"], mode="nearest", scales=scales.tolist())
        constants = []
    else:
        node = onnx.helper.make_node("Upsample", ["x", "s"], ["y"], mode="nearest")
        constants = [onnx.numpy_helper.from_array(scales, "s")]
    graph = onnx.helper.make_graph([node], "g", inputs, outputs, constants)
    opsets = [onnx.helper.make_opsetid("", opset)]
    assert_same(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8))


def test_more_parts_than_one_node_takes() -> None:
    parts = ", ".join(["x", "r"] * 150)
    body = f"g (float[1,2] x) => (float[1,600] y) {{ r = Neg (x) y = Concat <axis = 1> ({parts}) }}"
    assert_same(model(body))
