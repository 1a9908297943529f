"""Max and Min of computed tensors and constants, in any order.

Numbers make a function of each element. With a constant c that varies along axes,

    max(x, c) = relu(x - c) + c,    min(x, c) = c - relu(c - x).
"""

from functools import reduce

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.affine import scale_and_shift
from deepprove_dist.importing.rewriting.broadcasting import broadcast_all
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.extrema import largest, smallest
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.importing.rewriting.standard import NUMBER_TYPES
from deepprove_dist.operators.pointwise import IDENTITY, Primitive, call

ONE = np.array(1.0)


def _extremum(primitive: Primitive, sign: int) -> Rewrite:
    """The maximum for the sign 1, the minimum for -1."""

    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str | None:
        constants = [name for name in node.inputs if graph.is_constant(name)]
        tensors = [graph.tensor(name) for name in node.inputs if not graph.is_constant(name)]
        if not tensors or (len(tensors) > 1 and not constants):
            return None
        tensor = (largest if sign > 0 else smallest)(graph, broadcast_all(graph, tensors))
        if not constants:
            return apply(graph, tensor, IDENTITY)
        values = [graph.numbers(name, "an operand", infinite=True) for name in constants]
        constant: FloatArray = reduce(lambda first, second: np.asarray(primitive(first, second)), values)
        if constant.size == 1 and constant.ndim <= len(graph.shape(tensor)):
            return apply(graph, tensor, call(primitive, IDENTITY, constant.item()))
        if not np.isfinite(constant).all():
            raise UnsupportedNodeError("a constant of several values has infinite ones", "finite constants")
        difference = scale_and_shift(graph, tensor, sign * ONE, -sign * constant)
        larger = apply(graph, difference, call(np.maximum, IDENTITY, 0))
        return scale_and_shift(graph, larger, sign * ONE, constant)

    return rewrite


RULES = (
    Rule("Max", "of computed tensors and constants", _extremum(np.maximum, 1), types=NUMBER_TYPES),
    Rule("Min", "of computed tensors and constants", _extremum(np.minimum, -1), types=NUMBER_TYPES),
)
