"""ArgMax of a few scores that are affine in inputs or decisions: exact, as differences of scores.

    wins[i, j] = [score_i >= score_j] for i < j;   class i is chosen where it wins against all others.

So the lowest index wins a tie, and no rounding of scores decides.
"""

from itertools import combinations

import numpy as np

from deepprove_dist.importing.rewriting.affine_source import affine_source, find_sources
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rules.extreme_indices import INDEX_TYPES
from deepprove_dist.operators.decisions import FloatDecisions
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.reshape import FloatReshape

# Pairs of more classes cost more than they save.
MOST_CLASSES = 16


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str | None:
    tensor = graph.tensor(node.input(0))
    shape = graph.shape(tensor)
    axis = node.attributes.get("axis", 0)
    if len(shape) != 2 or shape[0] != 1 or axis not in (1, -1) or node.attributes.get("select_last_index", 0):
        return None
    producers = [graph.producer(source) for source in find_sources(graph, tensor)]
    exact = all(producer is None or producer.has_thresholds for producer in producers)
    if not 1 < shape[1] <= MOST_CLASSES or not exact:
        return None
    source, classes = affine_source(graph, tensor), shape[1]
    pairs = list(combinations(range(classes), 2))
    differences = np.zeros((len(pairs), classes))
    victories, lost = np.zeros((classes, len(pairs))), np.zeros(classes)
    for pair, (first, second) in enumerate(pairs):
        differences[pair, first], differences[pair, second] = 1.0, -1.0
        victories[first, pair], victories[second, pair] = 1.0, -1.0
        lost[second] += 1.0
    thresholds = -differences @ source.shift
    wins = graph.add(FloatDecisions, source.tensor, source.rows(differences), thresholds)
    chosen = graph.add(FloatDecisions, wins, victories, classes - 1.5 - lost)
    index = graph.add(FloatDense, chosen, np.arange(classes, dtype=np.float64)[None], np.zeros(1))
    return graph.add(FloatReshape, index, graph.shape(node.output))


RULES = (
    Rule(
        "ArgMax",
        "of up to 16 affine scores of inputs or decisions, exactly",
        _rewrite,
        frozenset({"axis", "keepdims", "select_last_index"}),
        INDEX_TYPES,
    ),
)
