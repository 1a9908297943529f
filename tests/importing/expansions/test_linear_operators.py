"""Operators that are linear in one input become products by a matrix, whatever their mode is."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import assert_same

RANDOM = np.random.default_rng(3)
GRID = RANDOM.uniform(-1.3, 1.3, (2, 3, 2, 2)).astype(np.float32)
REGIONS = np.array([[0, 0, 3, 2], [1, 1, 3, 3]], np.float32)


def network(
    operator: str, shape: tuple[int, ...], constants: list[Any], **attributes: Any
) -> onnx.ModelProto:
    """One node, whose first input is computed; None is an input that is omitted."""
    names = ["" if value is None else f"c{k}" for k, value in enumerate(constants)]
    node = helper.make_node(operator, ["x", *names], ["y"], "the node", **attributes)
    stated = [
        numpy_helper.from_array(np.asarray(value), name)
        for name, value in zip(names, constants, strict=True)
        if name
    ]
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    graph = helper.make_graph([node], "g", [x], [helper.make_empty_tensor_value_info("y")], stated)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["linear", "nearest", "cubic"])
def test_samples_at_constant_grids(mode: str, padding_mode: str) -> None:
    assert_same(network("GridSample", (2, 3, 4, 3), [GRID], mode=mode, padding_mode=padding_mode))


def test_other_linear_operators() -> None:
    assert_same(network("Col2Im", (2, 12, 4), [np.array([3, 3]), np.array([2, 2])]))
    assert_same(network("AffineGrid", (2, 2, 3), [np.array([2, 3, 4, 5])], align_corners=1))
    assert_same(
        network("RoiAlign", (2, 3, 4, 4), [REGIONS, np.array([1, 0])], output_height=2, output_width=2)
    )
    assert_same(network("DFT", (2, 5, 3, 1), [None, np.array(1)], onesided=1))
    assert_same(network("STFT", (1, 16, 1), [np.array(4), np.hanning(8).astype(np.float32)]))


def test_regions_by_maxima_are_refused() -> None:
    source = network("RoiAlign", (1, 1, 4, 4), [REGIONS, np.array([0, 0])], mode="max")
    with pytest.raises(UnsupportedModelError, match="Supported: RoiAlign of constant regions, by averages"):
        import_proto(source)


def test_large_matrices_are_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="a linear map of 6400 values together"):
        import_proto(network("GridSample", (1, 1, 80, 80), [GRID[:1]]))
