"""MaxUnpool at constant positions: each element goes to a position of a tensor of zeros."""

from math import prod

import numpy as np
import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope


def _max_unpool(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    positions = new.value(new.input(1))
    if positions is None:
        return None
    images, channels, *spatial = new.shape(new.input(0))
    size = _size(new, spatial)
    if new.input(2):
        stated = new.value(new.input(2))
        # Of another size, onnxruntime counts positions otherwise than the standard does.
        if stated is None or [int(value) for value in stated] != [images, channels, *size]:
            return None
    zeros = new.constant(np.zeros(images * channels * prod(size)), new.input(0))
    values = new.add("Reshape", new.input(0), new.integers([-1]))
    placed = new.add("ScatterElements", zeros, new.integers(positions.reshape(-1)), values, axis=0)
    return new.finished(new.add("Reshape", placed, new.integers([images, channels, *size])))


def _size(new: NodeReplacement, spatial: list[int]) -> list[int]:
    """The size of each axis by kernel, strides and pads."""
    kernel = list(new.attributes["kernel_shape"])
    strides = new.attributes.get("strides", [1] * len(kernel))
    pads = new.attributes.get("pads", [0] * 2 * len(kernel))
    both = [before + after for before, after in zip(pads[: len(kernel)], pads[len(kernel) :], strict=True)]
    axes = zip(spatial, kernel, strides, both, strict=True)
    return [(size - 1) * stride - pad + length for size, length, stride, pad in axes]


EXPANSIONS = (Expansion("MaxUnpool", "at constant positions", _max_unpool),)
