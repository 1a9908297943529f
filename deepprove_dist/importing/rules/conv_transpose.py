"""ConvTranspose, by convolutions: each remainder of an output position modulo the stride has its own kernel.

Along an axis with stride s, input index j and kernel index i reach the output position o where

    o = s * j + d * i - p,    so    j = q + (r + p - d * i) / s    for o = s * q + r.

For a remainder r the quotients are whole for some i only, and say which index j - q of a window that i is. So
M outputs are a convolution with M * s outputs and stride 1, whose remainders then go between the positions.
"""

from itertools import product
from math import prod
from typing import Any

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.convolution import convolve
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import select
from deepprove_dist.importing.rewriting.windows import WINDOW_ATTRIBUTES, transposed_window
from deepprove_dist.operators.reshape import FloatReshape
from deepprove_dist.operators.transpose import FloatTranspose
from deepprove_dist.operators.window import Window

LEAD = 2


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    weight = graph.numbers(node.input(1), "the kernel")
    groups = node.attributes.get("group", 1)
    tensor = graph.tensor(node.input(0))
    _, channels, *spatial = graph.shape(tensor)
    if groups < 1 or len(weight) != channels or channels % groups:
        raise UnsupportedNodeError(
            f"its kernel {weight.shape} and group {groups} do not fit {channels} channels",
            "kernels (channels, outputs / groups, ...)",
        )
    count = weight.shape[1] * groups
    bias = graph.numbers(node.input(2), "the bias") if node.input(2) else np.zeros(count)
    if bias.shape != (count,):
        raise UnsupportedNodeError(f"its bias {bias.shape} does not fit {count} outputs")
    window, positions = transposed_window(node, graph, weight.shape[LEAD:])
    kernels, plain = _kernels(weight, groups, window, tuple(spatial), positions)
    remainders = prod(window.strides)
    convolved = convolve(graph, tensor, kernels, np.repeat(bias, remainders), plain, groups)
    return _interleaved(graph, convolved, window.strides, positions)


def _kernels(
    weight: FloatArray, groups: int, window: Window, spatial: Shape, positions: Shape
) -> tuple[FloatArray, Window]:
    """The kernels of all remainders [outputs * remainders, channels / groups, ...], and their window."""
    reach = [_reach(window, axis, size, positions[axis]) for axis, size in enumerate(spatial)]
    kernel = tuple(before + after + 1 for before, after, _ in reach)
    rank = window.rank
    # [groups, channels / groups, outputs / groups, ...] to [groups, outputs, remainders, channels, ...]
    split = weight.reshape(groups, -1, *weight.shape[1:]).swapaxes(1, 2)
    result = np.zeros((*split.shape[:2], *window.strides, split.shape[2], *kernel))
    for indices in product(*map(range, window.kernel)):
        reached = [_reached(window, axis, index, reach[axis][0]) for axis, index in enumerate(indices)]
        remainder, index = ([pair[k] for pair in reached] for k in range(2))
        at: tuple[Any, ...] = (slice(None), slice(None), *remainder, slice(None), *index)
        taken: tuple[Any, ...] = (..., *indices)
        result[at] = split[taken]
    outputs = groups * split.shape[1] * prod(window.strides)
    pads = (*(before for before, _, _ in reach), *(pad for _, _, pad in reach))
    ones = (1,) * rank
    return result.reshape(outputs, split.shape[2], *kernel), Window(kernel, ones, pads, ones)


def _reached(window: Window, axis: int, index: int, before: int) -> tuple[int, int]:
    """The remainder of the outputs that a kernel index reaches, and its index in that one's kernel."""
    stride = window.strides[axis]
    ahead = window.dilations[axis] * index - window.before(axis)
    remainder = ahead % stride
    return remainder, before + (remainder - ahead) // stride


def _reach(window: Window, axis: int, size: int, positions: int) -> tuple[int, int, int]:
    """How far a window reaches before and after its position, and the padding after an axis of this size."""
    shifts = [_reached(window, axis, index, 0)[1] for index in range(window.kernel[axis])]
    before, after = max(0, -min(shifts)), max(0, *shifts)
    last = -(-positions // window.strides[axis]) - 1
    # Where less than all positions are asked for, the window reaches further: it takes no negative padding.
    after = max(after, size - 1 - last)
    return before, after, last + after - (size - 1)


def _interleaved(graph: GraphBuilder, tensor: str, strides: Shape, positions: Shape) -> str:
    """[N, M * remainders, *quotients] to [N, M, *positions]."""
    batch, channels, *quotients = graph.shape(tensor)
    rank, outputs = len(strides), channels // prod(strides)
    if prod(strides) > 1:
        tensor = graph.add(FloatReshape, tensor, (batch, outputs, *strides, *quotients))
        pairs = ((LEAD + rank + axis, LEAD + axis) for axis in range(rank))
        tensor = graph.add(FloatTranspose, tensor, (0, 1, *(axis for pair in pairs for axis in pair)))
        whole = (size * stride for size, stride in zip(quotients, strides, strict=True))
        tensor = graph.add(FloatReshape, tensor, (batch, outputs, *whole))
    for axis, size in enumerate(positions, LEAD):
        tensor = select(graph, tensor, axis, range(size))
    return tensor


RULES = (
    Rule(
        "ConvTranspose",
        "over one to three axes with constant weights and bias",
        _rewrite,
        WINDOW_ATTRIBUTES | {"group", "output_padding", "output_shape"},
    ),
)
