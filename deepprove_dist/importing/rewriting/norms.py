"""Normalisations along the last axis, centred or not."""

from math import sqrt

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.operators.centre import FloatCentre
from deepprove_dist.operators.normalise import FloatNormalise


def centred(graph: GraphBuilder, tensor: str) -> str:
    """x - mean x over the last axis."""
    return graph.add(FloatCentre, tensor, graph.shape(tensor)[-1])


def normalised(graph: GraphBuilder, tensor: str, epsilon: float) -> str:
    """x / sqrt(mean x^2 + epsilon) over the last axis."""
    size = graph.shape(tensor)[-1]
    return graph.add(FloatNormalise, tensor, size, sqrt(size), size * epsilon)


def of_length_one(graph: GraphBuilder, tensor: str, epsilon: float) -> str:
    """x / sqrt(sum x^2 + epsilon) over the last axis."""
    return graph.add(FloatNormalise, tensor, graph.shape(tensor)[-1], 1.0, epsilon)
