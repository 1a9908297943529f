"""PRelu: y = x where x is positive, else slope * x, with a constant slope.

One number makes a function. A slope that varies along axes makes y = relu(x) + slope * min(x, 0).
"""

import numpy as np

from deepprove_dist.importing.rewriting.affine import scale_and_shift, weighted_sum
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rules.elementwise import leaky_relu
from deepprove_dist.operators.pointwise import IDENTITY, call


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    tensor, slope = graph.tensor(node.input(0)), graph.numbers(node.input(1), "the slope")
    if (slope == slope.flat[0]).all():
        return apply(graph, tensor, leaky_relu(float(slope.flat[0])))
    positive = apply(graph, tensor, call(np.maximum, IDENTITY, 0))
    negative = apply(graph, tensor, call(np.minimum, IDENTITY, 0))
    scaled = scale_and_shift(graph, negative, slope, np.zeros(()))
    return weighted_sum(graph, [positive, scaled], (1.0, 1.0), np.zeros(()))


RULES = (Rule("PRelu", "with any constant slope", _rewrite),)
