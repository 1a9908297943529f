"""PRelu: y = x where x is positive, else slope * x.

A slope of one number makes a function. One that varies along axes makes y = relu(x) + slope * min(x, 0), and
so does a computed one.
"""

import numpy as np

from deepprove_dist.importing.rewriting.affine import scale_and_shift, weighted_sum
from deepprove_dist.importing.rewriting.broadcasting import broadcast_to
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rules.elementwise import leaky_relu
from deepprove_dist.operators.multiply import FloatMultiply
from deepprove_dist.operators.pointwise import IDENTITY, call


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    tensor = graph.tensor(node.input(0))
    if not graph.is_constant(node.input(1)):
        return _of_computed(graph, tensor, graph.tensor(node.input(1)))
    slope = graph.numbers(node.input(1), "the slope")
    if (slope == slope.flat[0]).all():
        return apply(graph, tensor, leaky_relu(float(slope.flat[0])))
    positive, negative = _parts(graph, tensor)
    scaled = scale_and_shift(graph, negative, slope, np.zeros(()))
    return weighted_sum(graph, [positive, scaled], (1.0, 1.0), np.zeros(()))


def _of_computed(graph: GraphBuilder, tensor: str, slope: str) -> str:
    positive, negative = _parts(graph, tensor)
    scaled = graph.add(FloatMultiply, (negative, broadcast_to(graph, slope, graph.shape(tensor))))
    return weighted_sum(graph, [positive, scaled], (1.0, 1.0), np.zeros(()))


def _parts(graph: GraphBuilder, tensor: str) -> tuple[str, str]:
    """What is positive, and what is negative."""
    positive = apply(graph, tensor, call(np.maximum, IDENTITY, 0))
    return positive, apply(graph, tensor, call(np.minimum, IDENTITY, 0))


RULES = (Rule("PRelu", "with any slope", _rewrite),)
