"""Ensembles of trees: decisions of features, decisions of paths, and a dense layer of the leaves' weights.

    bit    = [x >= t], or [-x >= -t]
    leaf   = [conditions that hold on its path >= their number]
    output = base + sum of leaf * weights.

An affine part of the model before the trees goes into the rows that are compared.
"""

import numpy as np
import onnx

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.affine_source import affine_source
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.forest import Forest, covers
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.maxima import add_max_pool
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import PLAIN_SCORES, UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rewrite, Rule
from deepprove_dist.importing.rewriting.tree_attributes import (
    AGGREGATES,
    Ensemble,
    read_ensemble,
    transform_of,
)
from deepprove_dist.importing.rewriting.trees import MalformedTreeError
from deepprove_dist.importing.rewriting.windows import single_window
from deepprove_dist.operators.decisions import FloatDecisions
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.pointwise import IDENTITY
from deepprove_dist.operators.reshape import FloatReshape

# Weights of the paths, and of the rows that are compared.
MOST_WEIGHTS = 2**26
SMALLER = "train it with a smaller max_depth, fewer leaves a tree (max_leaf_nodes, num_leaves) or fewer trees"


def _rewrite(prefix: str) -> Rewrite:
    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
        if (transform := transform_of(node.attributes)) != "NONE":
            raise UnsupportedNodeError(
                f"its post_transform is {transform}, which the standard and onnxruntime compute otherwise",
                "NONE or PROBIT, or any of several targets; of TreeEnsemble no LOGISTIC and no SOFTMAX",
                PLAIN_SCORES,
            )
        try:
            ensemble = read_ensemble(node.attributes, prefix)
        except MalformedTreeError as error:
            raise UnsupportedNodeError(f"its trees are malformed: {error}") from error
        if ensemble.aggregate not in AGGREGATES:
            raise UnsupportedNodeError(f"its aggregate_function is {ensemble.aggregate}")
        forest = Forest.of(ensemble)
        leaves = _leaves(graph, node, forest)
        extreme = ensemble.aggregate in ("MIN", "MAX") and len(ensemble.trees) > 1
        return _extreme(graph, leaves, forest) if extreme else _sum(graph, leaves, forest)

    return rewrite


def _leaves(graph: GraphBuilder, node: OnnxNode, forest: Forest) -> str:
    """A tensor [1, leaves] that says which leaves are reached."""
    shape = graph.shape(node.input(0))
    if len(shape) != 2 or shape[0] != 1:
        raise UnsupportedNodeError(
            f"it reads a tensor of shape {shape}", "trees of one row of features a sample"
        )
    if not forest.blocks:
        raise UnsupportedNodeError("its trees compare nothing: what it computes is constant")
    if not 0 <= min(forest.features) <= max(forest.features) < shape[1]:
        raise UnsupportedNodeError(f"it reads feature {max(forest.features)} of {shape[1]}")
    count = len(forest.blocks) * forest.width * max(forest.height, shape[1])
    if count > MOST_WEIGHTS:
        raise UnsupportedNodeError(
            f"its paths have {count:.1e} pairs of a leaf and a comparison in one tree",
            f"trees with up to {MOST_WEIGHTS:.1e} such pairs",
            SMALLER,
        )
    source = affine_source(graph, graph.tensor(node.input(0)))
    rows, thresholds = forest.comparisons(shape[1])
    shifted = thresholds - rows @ source.shift
    bits = graph.add(FloatDecisions, source.tensor, source.rows(rows), shifted)
    return graph.add(FloatDecisions, bits, *forest.paths(), len(forest.blocks))


def _base(ensemble: Ensemble) -> FloatArray:
    base = np.array(ensemble.base or [0.0])
    if len(base) not in (1, ensemble.targets):
        raise UnsupportedNodeError(f"it has {len(base)} base_values for {ensemble.targets} targets")
    return np.broadcast_to(base, ensemble.targets)


def _sum(graph: GraphBuilder, leaves: str, forest: Forest) -> str:
    """What leaves add up to, or their mean over the trees."""
    ensemble = forest.ensemble
    share = len(ensemble.trees) if ensemble.aggregate == "AVERAGE" else 1
    weights, always = forest.sums()
    return graph.add(FloatDense, leaves, weights / share, always / share + _base(ensemble))


def _extreme(graph: GraphBuilder, leaves: str, forest: Forest) -> str:
    """The largest or the smallest of what trees compute, for each target."""
    ensemble = forest.ensemble
    targets, trees = ensemble.targets, len(ensemble.trees)
    if not covers(forest, range(targets)):
        raise UnsupportedNodeError(
            f"its aggregate_function is {ensemble.aggregate}, and some leaves lack weights of a target"
        )
    sign = 1.0 if ensemble.aggregate == "MAX" else -1.0
    weights, always = forest.values()
    of_trees = graph.add(
        FloatDense, leaves, sign * weights.reshape(targets * trees, -1), sign * always.ravel()
    )
    matrix = graph.add(FloatReshape, of_trees, (1, targets, trees))
    largest = add_max_pool(graph, matrix, single_window((trees,)))
    flat = graph.add(FloatReshape, largest, (1, targets))
    base = _base(ensemble)
    if len(set(base)) == 1:
        return apply(graph, flat, IDENTITY * sign + float(base[0]))
    return graph.add(FloatDense, flat, sign * np.eye(targets), base)


TYPES = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
RULES = (
    Rule(
        "ai.onnx.ml.TreeEnsembleRegressor",
        "of one row of features a sample, with any conditions and aggregate_function",
        _rewrite("target"),
        types=TYPES,
        any_attributes=True,
    ),
    Rule(
        "ai.onnx.ml.TreeEnsemble",
        "of one row of features a sample, with any conditions and aggregate_function",
        _rewrite("leaf"),
        types=TYPES,
        any_attributes=True,
    ),
)
