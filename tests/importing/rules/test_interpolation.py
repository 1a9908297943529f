"""Resize by interpolation, as onnxruntime computes it, in every mode; and proven."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import assert_same
from tests.operators.end_to_end import assert_proven, network

MODES = ("half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel", "tf_half_pixel_for_nn")
SIZES = {"larger": (1, 2, 9, 10), "smaller": (1, 2, 3, 2)}


def source(attributes: str, sizes: tuple[int, ...], window: tuple[float, ...] = ()) -> onnx.ModelProto:
    constants = {"s": np.array(sizes, np.int64)}
    if window:
        constants["roi"] = np.array(window, np.float32)
    shape = ",".join(["1", "2", *("5" for _ in sizes[2:])])
    operands = f"x, {'roi' if window else ''}, , s"
    body = f"y = Resize <{attributes}> ({operands})"
    return network(f"(float[{shape}] x) => (float[n] y) {{ {body} }}", constants, opset=19)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("coordinates", MODES)
def test_modes(mode: str, coordinates: str, sizes: tuple[int, ...]) -> None:
    assert_same(source(f'mode = "{mode}", coordinate_transformation_mode = "{coordinates}"', sizes))


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_antialiasing(mode: str) -> None:
    assert_same(source(f'mode = "{mode}", antialias = 1', SIZES["smaller"]))


def test_cubic_forms() -> None:
    assert_same(source('mode = "cubic", cubic_coeff_a = -0.5, exclude_outside = 1', SIZES["larger"]))


def test_a_part_of_the_image_and_what_is_outside() -> None:
    attributes = (
        'mode = "linear", coordinate_transformation_mode = "tf_crop_and_resize", extrapolation_value = 10.0'
    )
    assert_same(source(attributes, (1, 2, 4, 4), (0, 0, 0.3, -0.2, 1, 1, 1.2, 0.9)))


@pytest.mark.parametrize("mode", ["linear", "cubic", "nearest"])
def test_a_window_along_an_axis_of_scale_one_is_refused(mode: str) -> None:
    attributes = f'mode = "{mode}", coordinate_transformation_mode = "tf_crop_and_resize"'
    with pytest.raises(UnsupportedModelError, match="and its scale there 1"):
        import_proto(source(attributes, (1, 2, 4, 5), (0, 0, 0, 0.2, 1, 1, 1, 0.9)))


def test_an_antialiased_axis_that_keeps_its_size_is_refused() -> None:
    node = (
        'y = Resize <mode = "linear", antialias = 1, axes = [2, 3], '
        'keep_aspect_ratio_policy = "not_larger"> (x, , , s)'
    )
    sizes = {"s": np.array((2, 40))}
    with pytest.raises(UnsupportedModelError, match="keeps the size of axis 2"):
        import_proto(network(f"(float[1,2,2,50] x) => (float[n] y) {{ {node} }}", sizes, opset=19))


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("coordinates", ["align_corners", "half_pixel_symmetric"])
def test_scales_that_give_no_whole_number_of_positions(mode: str, coordinates: str) -> None:
    node = f'y = Resize <mode = "{mode}", coordinate_transformation_mode = "{coordinates}"> (x, , s)'
    scales = {"s": np.array([1, 1, 1.3, 0.7], np.float32)}
    assert_same(network(f"(float[1,2,5,9] x) => (float[n] y) {{ {node} }}", scales, opset=19))


def test_one_and_three_axes() -> None:
    assert_same(source('mode = "linear"', (1, 2, 8)))
    assert_same(source('mode = "linear"', (1, 2, 8, 4, 7)))


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_networks_are_proven(mode: str) -> None:
    resize = f'r = Resize <mode = "{mode}"> (x, , s) h = Relu (r) y = GlobalAveragePool (h)'
    scales = {"s": np.array([1, 1, 2, 2], np.float32)}
    assert_proven(network(f"(float[1,2,3,4] x) => (float[n] y) {{ {resize} }}", scales))
    whole = network(f'(float[1,2,3,4] x) => (float[n] y) {{ y = Resize <mode = "{mode}"> (x, , s) }}', scales)
    assert_proven(whole)


@pytest.mark.parametrize("scale", [0.6, 0.7, 1.5, 2.0])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize(("operator", "opset"), [("Upsample", 9), ("Resize", 10)])
def test_positions_of_old_opsets(operator: str, opset: int, mode: str, scale: float) -> None:
    if operator == "Resize" or scale > 1:
        scales = {"s": np.array([1, 1, scale, scale], np.float32)}
        body = f'y = {operator} <mode = "{mode}"> (x, s)'
        assert_same(network(f"(float[1,2,5,5] x) => (float[n] y) {{ {body} }}", scales, opset=opset))
