"""ConvTranspose with every attribute, as onnxruntime computes it."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import assert_same
from tests.operators.end_to_end import assert_proven, network

RANDOM = np.random.default_rng(5)


def source(shape: str, kernel: tuple[int, ...], attributes: str, groups: int = 1) -> onnx.ModelProto:
    constants = {
        "k": RANDOM.normal(size=kernel).astype(np.float32),
        "b": RANDOM.normal(size=kernel[1] * groups).astype(np.float32),
    }
    body = f"y = ConvTranspose <group = {groups}{attributes}> (x, k, b)"
    return network(f"(float[{shape}] x) => (float[n] y) {{ {body} }}", constants)


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        ", strides = [2, 3]",
        ", strides = [2, 2], pads = [1, 0, 0, 1]",
        ", strides = [3, 2], output_padding = [2, 1]",
        ", strides = [2, 2], dilations = [2, 3], pads = [1, 1, 2, 2]",
        ", dilations = [3, 2], pads = [2, 1, 2, 1]",
        ", strides = [3, 4], output_shape = [11, 14]",
        ', strides = [3, 4], output_shape = [11, 15], auto_pad = "SAME_UPPER"',
        ', strides = [2, 3], auto_pad = "SAME_UPPER"',
        ', strides = [2, 3], auto_pad = "SAME_LOWER"',
        ', strides = [2, 3], auto_pad = "VALID"',
        ", strides = [1, 1], pads = [2, 3, 2, 3]",
    ],
)
@pytest.mark.parametrize("groups", [1, 2])
def test_attributes(attributes: str, groups: int) -> None:
    assert_same(source("1,4,4,5", (4, 3, 3, 4), attributes, groups))


def test_one_and_three_axes_and_shapes() -> None:
    assert_same(source("1,2,7", (2, 3, 4), ", strides = [3], pads = [1, 2]"))
    assert_same(source("1,2,3,2,4", (2, 1, 2, 3, 2), ", strides = [2, 1, 3], output_padding = [1, 0, 0]"))
    assert_same(source("2,4,3,3", (4, 1, 2, 2), ", strides = [2, 2]", 4))


@pytest.mark.parametrize(
    ("kernel", "attributes", "groups"),
    [
        ((4, 2, 2, 2), ", strides = [2, 2]", 1),
        ((4, 1, 3, 3), ", strides = [2, 2], pads = [1, 1, 1, 1]", 2),
        ((4, 2, 3, 3), ", strides = [2, 2], output_padding = [1, 1]", 4),
    ],
)
def test_networks_are_proven(kernel: tuple[int, ...], attributes: str, groups: int) -> None:
    assert_proven(source("1,4,3,3", kernel, attributes, groups))


def test_a_shape_of_the_output_asks_for_padding_in_any_mode() -> None:
    for mode in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        attributes = f', strides = [3, 2], output_shape = [8, 6], auto_pad = "{mode}"'
        assert_same(source("1,1,3,4", (1, 2, 2, 1), attributes))


def test_automatic_padding_with_further_positions_is_refused() -> None:
    attributes = ', strides = [2, 2], output_padding = [1, 1], auto_pad = "SAME_UPPER"'
    with pytest.raises(UnsupportedModelError, match="its auto_pad is SAME_UPPER and its output_padding"):
        import_proto(source("1,2,3,3", (2, 1, 2, 2), attributes))


def test_a_kernel_that_does_not_fit_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="do not fit 4 channels"):
        import_proto(source("1,4,4,5", (4, 3, 3, 4), "", 3))
