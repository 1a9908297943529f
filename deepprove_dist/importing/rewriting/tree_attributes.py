"""Ensembles of trees as ONNX states them: in nodes and leaves of their own, or in lists of both together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from onnx import numpy_helper

from deepprove_dist.importing.rewriting.trees import (
    BRANCHES,
    LEAF,
    MEMBER,
    DecisionTree,
    MalformedTreeError,
    TreeNode,
    grow,
)

AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")
"""In the order of the numbers that `TreeEnsemble` has for them."""

POST_TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
"""In the order of the numbers that `TreeEnsemble` has for them."""

# Modes of TreeEnsemble's nodes; the first six are those with one threshold.
_MODES = (*BRANCHES, MEMBER)


def transform_of(attributes: Mapping[str, Any]) -> str:
    """What becomes of the sums; operators state it as a text, `TreeEnsemble` as a number."""
    stated = attributes.get("post_transform", 0)
    return POST_TRANSFORMS[stated] if isinstance(stated, int) else stated.decode()


@dataclass(frozen=True)
class Ensemble:
    """Trees whose leaves add up, or whose results are otherwise put together, and what is added then."""

    trees: tuple[DecisionTree, ...]
    targets: int
    aggregate: str
    base: tuple[float, ...]


def read_ensemble(attributes: Mapping[str, Any], prefix: str) -> Ensemble:
    """That of attributes in which values of leaves begin with ``prefix``; in TreeEnsemble that is "leaf".

    Raises MalformedTreeError for trees that are none.
    """
    try:
        return _newest(attributes) if prefix == "leaf" else _lists(attributes, prefix)
    except (KeyError, IndexError, ValueError) as error:
        known = isinstance(error, MalformedTreeError)
        raise MalformedTreeError(str(error) if known else "its lists differ in length") from error


def numbers(attributes: Mapping[str, Any], name: str) -> list[float]:
    """A list of floats, which may be stated as a tensor too."""
    tensor = attributes.get(f"{name}_as_tensor")
    values = attributes.get(name, ()) if tensor is None else numpy_helper.to_array(tensor).ravel().tolist()
    return list(map(float, values))


def _lists(attributes: Mapping[str, Any], prefix: str) -> Ensemble:
    names = ("treeids", "nodeids", "ids")
    values = defaultdict[tuple[int, int], dict[int, float]](dict)
    weights = numbers(attributes, f"{prefix}_weights")
    columns = [attributes.get(f"{prefix}_{name}", ()) for name in names]
    for tree, node, target, weight in zip(*columns, weights, strict=True):
        values[tree, node][target] = values[tree, node].get(target, 0.0) + weight
    fields = ("treeids", "nodeids", "modes", "featureids", "truenodeids", "falsenodeids")
    columns = [attributes.get(f"nodes_{name}", ()) for name in fields]
    nodes = defaultdict[int, dict[int, TreeNode]](dict)
    for tree, node, mode, feature, *children, threshold in zip(
        *columns, numbers(attributes, "nodes_values"), strict=True
    ):
        leaf = values.get((tree, node), {})
        if node in nodes[tree]:
            raise MalformedTreeError(f"node {node} of tree {tree} is there twice")
        nodes[tree][node] = TreeNode(mode.decode(), feature, (threshold,), (children[0], children[1]), leaf)
    targets = attributes.get("n_targets") or 1 + max(chain(*(leaf for leaf in values.values())), default=0)
    return Ensemble(
        tuple(grow(tree, _root(tree)) for tree in nodes.values()),
        targets,
        attributes.get("aggregate_function", b"SUM").decode(),
        tuple(numbers(attributes, "base_values")),
    )


def _root(nodes: Mapping[int, TreeNode]) -> int:
    below = {child for node in nodes.values() if node.mode != LEAF for child in node.children}
    roots = [number for number in nodes if number not in below]
    if len(roots) != 1:
        raise MalformedTreeError(f"a tree has {len(roots)} roots")
    return roots[0]


def _newest(attributes: Mapping[str, Any]) -> Ensemble:
    members = _members(attributes)
    arrays = {name: numpy_helper.to_array(attributes[name]) for name in ("nodes_splits", "nodes_modes")}
    leaves = [
        TreeNode(LEAF, values={target: float(weight)})
        for target, weight in zip(
            attributes["leaf_targetids"], numpy_helper.to_array(attributes["leaf_weights"]), strict=True
        )
    ]
    inner = len(arrays["nodes_modes"])
    nodes = {inner + index: leaf for index, leaf in enumerate(leaves)}
    children = [
        [child + inner if leaf else child for child, leaf in zip(*_children(attributes, side), strict=True)]
        for side in ("true", "false")
    ]
    for index, (mode, feature, split) in enumerate(
        zip(arrays["nodes_modes"], attributes["nodes_featureids"], arrays["nodes_splits"], strict=True)
    ):
        name = _MODES[int(mode)]
        thresholds = next(members) if name == MEMBER else (float(split),)
        nodes[index] = TreeNode(name, feature, thresholds, (children[0][index], children[1][index]))
    # A tree of one leaf is a node with both children on it.
    trees = tuple(grow(_alone(nodes, root), root) for root in attributes["tree_roots"])
    return Ensemble(
        trees,
        attributes.get("n_targets") or 1 + max(attributes["leaf_targetids"], default=0),
        AGGREGATES[attributes.get("aggregate_function", 1)],
        (),
    )


def _children(attributes: Mapping[str, Any], side: str) -> tuple[Sequence[int], Sequence[int]]:
    return attributes[f"nodes_{side}nodeids"], attributes[f"nodes_{side}leafs"]


def _alone(nodes: Mapping[int, TreeNode], root: int) -> Mapping[int, TreeNode]:
    """The nodes, where a root whose children are one leaf is that leaf."""
    first, second = nodes[root].children
    return {**nodes, root: nodes[first]} if first == second and nodes[first].mode == LEAF else nodes


def _members(attributes: Mapping[str, Any]) -> Iterator[tuple[float, ...]]:
    """The sets of nodes that ask for membership, each of which ends with NaN."""
    if "membership_values" not in attributes:
        return
    members: list[float] = []
    for value in numpy_helper.to_array(attributes["membership_values"]).astype(np.float64).tolist():
        if np.isnan(value):
            yield tuple(members)
            members = []
        else:
            members.append(value)
