"""Convolutions as the float graph has them: of one image a sample, which take in padding before them."""

from dataclasses import replace

import numpy as np

from deepprove_dist.arrays import FloatArray, Reals
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.operators.conv import FloatConv
from deepprove_dist.operators.reshape import FloatReshape
from deepprove_dist.operators.window import Window


def convolve(
    graph: GraphBuilder, tensor: str, weight: Reals, bias: FloatArray, window: Window, groups: int
) -> str:
    """A convolution of a tensor [N, C, *spatial]; weight [M, C / groups, *kernel], bias [M].

    Of several images a sample it is a convolution of one, which has a group for each group of each image.
    """
    tensor, window = _without_padding(graph, tensor, window)
    images, channels, *spatial = graph.shape(tensor)
    if images == 1:
        return graph.add(FloatConv, tensor, weight, bias, window, groups)
    joined = graph.add(FloatReshape, tensor, (1, images * channels, *spatial))
    weights, biases = (np.concatenate([values] * images) for values in (weight, bias))
    result = graph.add(FloatConv, joined, weights, biases, window, images * groups)
    return graph.add(FloatReshape, result, (images, len(weight), *window.output(tuple(spatial))))


def _without_padding(graph: GraphBuilder, tensor: str, window: Window) -> tuple[str, Window]:
    """The tensor that spatial padding, if any, pads, and the window with that padding."""
    node = graph.producer(tensor)
    if node is None or node.zeros_around is None:
        return tensor, window
    rank = window.rank
    before, after = node.zeros_around[: 2 + rank], node.zeros_around[2 + rank :]
    if any(before[:2]) or any(after[:2]):
        return tensor, window
    pads = zip(window.pads, (*before[2:], *after[2:]), strict=True)
    return node.input, replace(window, pads=tuple(map(sum, pads)))
