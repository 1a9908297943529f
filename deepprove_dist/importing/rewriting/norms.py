"""Normalisations along the last axis: centred or not, then scaled and shifted entry by entry."""

from __future__ import annotations

from math import sqrt

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.convolution import convolve
from deepprove_dist.operators.centre import FloatCentre
from deepprove_dist.operators.normalise import FloatNormalise
from deepprove_dist.operators.reshape import FloatReshape
from deepprove_dist.operators.transpose import FloatTranspose
from deepprove_dist.operators.window import single_positions


def centred(graph: GraphBuilder, tensor: str) -> str:
    """x - mean x over the last axis."""
    return graph.add(FloatCentre, tensor, graph.shape(tensor)[-1])


def normalised(
    graph: GraphBuilder,
    tensor: str,
    epsilon: float,
    gain: FloatArray | None = None,
    bias: FloatArray | None = None,
) -> str:
    """gain * x / sqrt(mean x^2 + epsilon) + bias over the last axis; gain and bias have its size."""
    shape = graph.shape(tensor)
    size = shape[-1]
    wide = gain is not None or bias is not None
    result = graph.add(FloatNormalise, tensor, size, sqrt(size), size * epsilon, wide)
    if not wide:
        return result
    weight = np.ones(size) if gain is None else gain
    offsets = np.zeros(size) if bias is None else bias
    rows = graph.add(FloatReshape, result, (1, int(np.prod(shape[:-1])), size))
    turned = graph.add(FloatTranspose, rows, (0, 2, 1))
    scaled = convolve(graph, turned, weight.reshape(size, 1, 1), offsets, single_positions(1), groups=size)
    back = graph.add(FloatTranspose, scaled, (0, 2, 1))
    return graph.add(FloatReshape, back, shape)
