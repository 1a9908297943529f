"""Ensembles of random trees as ONNX models, in the older and in the newest form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
NAMES = ("treeids", "nodeids", "ids", "weights")


def classical(
    operator: str,
    attributes: dict[str, Any],
    features: int,
    outputs: Sequence[str] = ("y",),
    *,
    proven: Sequence[str] | None = None,
    opset: int = 17,
    version: int = 3,
) -> onnx.ModelProto:
    """A model of one node of ai.onnx.ml; ``proven`` are the outputs that the graph has."""
    node = helper.make_node(operator, ["x"], list(outputs), "n", domain="ai.onnx.ml", **attributes)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", features])
    label = outputs[0] if len(outputs) > 1 and "classlabels_strings" not in attributes else ""
    kinds = {label: TensorProto.INT64}
    values = [
        helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), None)
        for name in proven or outputs
    ]
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", version)]
    return helper.make_model(helper.make_graph([node], "g", [x], values), opset_imports=opsets, ir_version=8)


def random_trees(
    random: np.random.Generator,
    prefix: str = "target",
    *,
    trees: int = 3,
    depth: int = 3,
    features: int = 4,
    ids: Sequence[int] = (0,),
    modes: Sequence[str] = MODES[:4],
    low: float = -1.0,
) -> dict[str, Any]:
    """Attributes of trees of at most this depth, whose leaves have weights of at least ``low``."""
    columns: dict[str, list[Any]] = {
        f"nodes_{name}": []
        for name in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
    } | {f"{prefix}_{name}": [] for name in NAMES}

    def add(tree: int, number: int, level: int) -> int:
        """Adds what is below a node, and returns the next free number."""
        leaf = level == depth or (level > 0 and random.random() < 0.2)
        row = {
            "treeids": tree,
            "nodeids": number,
            "featureids": int(random.integers(features)),
            # Multiples of a quarter, which inputs reach exactly.
            "values": float(random.integers(-6, 7)) / 4,
            "modes": "LEAF" if leaf else str(random.choice(modes)),
            "truenodeids": 0,
            "falsenodeids": 0,
        }
        index = len(columns["nodes_nodeids"])
        for name, value in row.items():
            columns[f"nodes_{name}"].append(value)
        following = number + 1
        if leaf:
            for target in ids:
                weight = float(random.uniform(low, 1.0))
                for name, value in zip(NAMES, (tree, number, target, weight), strict=True):
                    columns[f"{prefix}_{name}"].append(value)
            return following
        for side in ("true", "false"):
            columns[f"nodes_{side}nodeids"][index] = following
            following = add(tree, following, level + 1)
        return following

    for tree in range(trees):
        add(tree, 0, 0)
    return columns


def regressor(random: np.random.Generator, features: int = 4, **choices: Any) -> onnx.ModelProto:
    """A TreeEnsembleRegressor; ``choices`` are those of the trees, and attributes."""
    stated = ("n_targets", "aggregate_function", "base_values", "post_transform")
    further = {name: choices.pop(name) for name in stated if name in choices}
    attributes = random_trees(random, features=features, **choices)
    stated_values = {name: value for name, value in further.items() if value != []}
    return classical("TreeEnsembleRegressor", {**attributes, "n_targets": 1, **stated_values}, features)


def classifier(
    random: np.random.Generator,
    classes: int,
    features: int = 4,
    *,
    proven: Sequence[str] = ("p",),
    **choices: Any,
) -> onnx.ModelProto:
    """A TreeEnsembleClassifier with the outputs "y" and "p"; ``choices`` as for a regressor."""
    stated = ("base_values", "post_transform", "classlabels_strings", "classlabels_int64s")
    further = {name: choices.pop(name) for name in stated if name in choices}
    if not further.keys() & {"classlabels_strings", "classlabels_int64s"}:
        further["classlabels_int64s"] = list(range(classes))
    attributes = random_trees(random, "class", features=features, **choices)
    return classical("TreeEnsembleClassifier", {**attributes, **further}, features, ("y", "p"), proven=proven)


def newest(aggregate: int = 1) -> onnx.ModelProto:
    """A TreeEnsemble: x0 in {1, 2, 4}, then x1 <= 0.5 or x1 > 0.25; and a tree of one leaf."""
    tensors: dict[str, np.ndarray[Any, Any]] = {
        "nodes_splits": np.array([0.0, 0.5, 0.25, 0.0], np.float32),
        "nodes_modes": np.array([6, 0, 3, 0], np.uint8),
        "leaf_weights": np.array([1.0, 2.5, -1.0, 0.75, 0.125], np.float32),
        "membership_values": np.array([1.0, 2.0, 4.0, np.nan], np.float32),
    }
    attributes: dict[str, Any] = {
        "tree_roots": [0, 3],
        "nodes_featureids": [0, 1, 1, 0],
        "nodes_truenodeids": [1, 0, 2, 4],
        "nodes_trueleafs": [0, 1, 1, 1],
        "nodes_falsenodeids": [2, 1, 3, 4],
        "nodes_falseleafs": [0, 1, 1, 1],
        "leaf_targetids": [0, 0, 0, 0, 0],
        "n_targets": 1,
        "aggregate_function": aggregate,
        "post_transform": 0,
        **{name: numpy_helper.from_array(values, name) for name, values in tensors.items()},
    }
    return classical("TreeEnsemble", attributes, 2, opset=21, version=5)
