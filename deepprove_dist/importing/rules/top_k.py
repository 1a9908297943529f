"""TopK: values in their order, with their indices; of equal ones the first comes first.

Of each pair i < j one comes ahead. Element i has the rank of how many are ahead of it. Position t takes the
element of rank t: a product with a one-hot vector.
"""

from itertools import combinations

import numpy as np

from deepprove_dist.importing.rewriting.affine import weighted_sum
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.contraction import contract
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.one_hot import distances
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import axis_of, reshaped, select
from deepprove_dist.importing.rewriting.standard import NUMBER_TYPES
from deepprove_dist.operators import truth
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.plain import FloatPlain
from deepprove_dist.operators.pointwise import IDENTITY, call
from deepprove_dist.operators.transpose import FloatTranspose

MAX_PAIRS = 1 << 16
"""Of one row: each is compared, and takes some committed values."""


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> tuple[str, str]:
    tensor = graph.tensor(node.input(0))
    rank = len(graph.shape(tensor))
    axis = axis_of(node.attributes.get("axis", -1), rank)
    size = graph.shape(tensor)[axis]
    count = int(graph.required(node.input(1), "K").item())
    if not 1 <= count <= size or size * (size - 1) // 2 > MAX_PAIRS:
        raise UnsupportedNodeError(
            f"it takes {count} of {size} elements", f"axes with at most {MAX_PAIRS} pairs of elements"
        )
    order = (*(k for k in range(rank) if k != axis), axis)
    rows = tensor if axis == rank - 1 else graph.add(FloatTranspose, tensor, order)
    rows = graph.add(FloatPlain, rows, graph.shape(rows))
    chosen = _chosen(graph, rows, count, largest=bool(node.attributes.get("largest", 1)))
    labels = [f"x{k}" for k in range(rank - 1)]
    values = contract(graph, (chosen, rows), ((*labels, "to", "from"), (*labels, "from")), (*labels, "to"))
    ramp = np.arange(size, dtype=np.float64)[None]
    indices = graph.add(FloatDense, chosen, ramp, np.zeros(1))
    indices = reshaped(graph, indices, (*graph.shape(rows)[:-1], count))
    if axis == rank - 1:
        return values, indices
    back = (*range(axis), rank - 1, *range(axis, rank - 1))
    return graph.add(FloatTranspose, values, back), graph.add(FloatTranspose, indices, back)


def _chosen(graph: GraphBuilder, rows: str, count: int, *, largest: bool) -> str:
    """The truth values [element i comes at position t] for all t below the count, then all i."""
    *others, size = graph.shape(rows)
    if size == 1:
        return apply(graph, reshaped(graph, rows, (*others, 1, 1)), IDENTITY * 0 + 1)
    pairs = np.array(list(combinations(range(size), 2)))
    first, second = (select(graph, rows, len(others), side.tolist()) for side in pairs.T)
    difference = weighted_sum(graph, [second, first], [1.0, -1.0], np.array(0.0))
    ahead = apply(graph, difference, call(truth.greater if largest else truth.less, IDENTITY, 0))
    # The second of a pair is ahead of the first one, or the other way round.
    weight = np.zeros((size, len(pairs)))
    weight[pairs[:, 0], range(len(pairs))] = 1
    weight[pairs[:, 1], range(len(pairs))] = -1
    ranks = graph.add(FloatDense, ahead, weight, np.arange(size, dtype=np.float64))
    return apply(graph, distances(graph, ranks, count, -2), call(truth.equal, IDENTITY, 0))


RULES = (
    Rule(
        "TopK",
        "of a computed tensor, with a constant number of elements, which are sorted in any case",
        _rewrite,
        frozenset({"axis", "largest", "sorted"}),
        types=NUMBER_TYPES,
    ),
)
