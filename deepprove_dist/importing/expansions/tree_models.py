"""Ensembles of trees: sums of leaves' weights, which rules take, and then a function of them and a label.

Two classes may have weights for one of them alone. Then scores are those of onnxruntime: s and 1 - s where no
weight is negative, else s and -s. Where it does otherwise than the standard says, the node is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnx

from deepprove_dist.importing.expanding.class_labels import class_labels, write_label
from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_writer import NodeWriter
from deepprove_dist.importing.expanding.post_transforms import transformed, transformed_single
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.standard import CLASSICAL
from deepprove_dist.importing.rewriting.tree_attributes import numbers, transform_of

REGRESSOR, NEWEST = "TreeEnsembleRegressor", "TreeEnsemble"
BINARY = 2
# Attributes of a classifier that a regressor has under the same name.
SHARED = "nodes_"


def _regressor(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """The node itself once it has a shape, or a node without its post_transform and that."""
    writer = NodeWriter(node, scope)
    attributes = dict(writer.attributes)
    newest = node.op_type == NEWEST
    ids = attributes.get("leaf_targetids" if newest else "target_ids", ())
    targets = attributes.get("n_targets") or 1 + max(ids, default=0)
    transform = transform_of(attributes)
    if newest and transform in ("LOGISTIC", "SOFTMAX"):
        # onnxruntime takes either for the other one; the node's rule refuses it.
        return None
    attributes.pop("post_transform", None)
    if transform == "NONE":
        if writer.is_stated(0):
            return None
        writer.copy(node.op_type, (1, targets), writer.attributes, node.output[0])
        return writer.nodes
    scores = writer.copy(node.op_type, (1, targets), attributes)
    if targets == 1:
        writer.result(transformed_single(writer, scores, transform))
    else:
        writer.result(transformed(writer, scores, transform, zeros=True))
    return writer.nodes


@dataclass(frozen=True)
class _Scores:
    """A regressor whose targets are the scores of classes.

    ``label``: what is added to them before the largest one is the label.
    """

    weights: Mapping[str, Any]
    label: tuple[float, ...] = ()


def _classifier(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    writer = NodeWriter(node, scope)
    labels = class_labels(writer.attributes)
    transform = writer.attributes.get("post_transform", b"NONE").decode()
    scores, transform = _scores(writer, labels, transform)
    shared = {name: value for name, value in writer.attributes.items() if name.startswith(SHARED)}
    attributes = {**shared, **scores.weights, "n_targets": len(labels)}
    tensor = writer.copy(REGRESSOR, (1, len(labels)), attributes)
    writer.result(transformed(writer, tensor, transform, zeros=True), 1)
    if writer.uses(0):
        shifted = writer.add("Add", tensor, writer.numbers(scores.label)) if any(scores.label) else tensor
        write_label(writer, shifted, labels)
    return writer.nodes


def _scores(writer: NodeWriter, labels: Sequence[int | bytes], transform: str) -> tuple[_Scores, str]:
    """The scores, and which function of them comes then."""
    classes = len(labels)
    ids = writer.attributes.get("class_ids", ())
    weights = numbers(writer.attributes, "class_weights")
    base = numbers(writer.attributes, "base_values")
    if classes == BINARY and len(set(ids)) == 1:
        return _binary(writer, weights, base, transform)
    if base and (classes == BINARY or len(base) != classes):
        raise UnsupportedNodeError(
            f"it has {len(base)} base_values for {classes} classes", "base_values for more than two classes"
        )
    if classes == BINARY and writer.uses(0) and not _are_opposite(writer, ids, weights, labels):
        raise UnsupportedNodeError(
            "it has weights for both of two classes, and onnxruntime's label is not that of the larger score",
            "weights for one of two classes",
            f"prove the scores: pass outputs=['{writer.node.output[1]}']",
        )
    return _Scores({**_targets(writer, ids, weights), **({"base_values": base} if base else {})}), transform


def _are_opposite(
    writer: NodeWriter, ids: Sequence[int], weights: Sequence[float], labels: Sequence[int | bytes]
) -> bool:
    """Whether the scores of the classes 0 and 1 are s and -s: then all agree on the label."""
    leaves = zip(writer.attributes["class_treeids"], writer.attributes["class_nodeids"], strict=True)
    sums: dict[tuple[int, int], float] = {}
    for leaf, _, weight in zip(leaves, ids, weights, strict=True):
        sums[leaf] = sums.get(leaf, 0.0) + weight
    return not any(sums.values()) and list(labels) == [0, 1]


def _binary(
    writer: NodeWriter, weights: Sequence[float], base: Sequence[float], transform: str
) -> tuple[_Scores, str]:
    """Of two classes with weights for one alone."""
    ids = writer.attributes["class_ids"]
    positive = min(weights) >= 0
    if ids[0] == 1:
        if base:
            raise UnsupportedNodeError("it has base_values, and weights for the second class alone")
        # The first score is 0; the label is the second class where its score is above a half, or above 0.
        return _Scores(_targets(writer, ids, weights), (0.5 if positive else 0.0, 0.0)), transform
    if len(base) > 1:
        raise UnsupportedNodeError("it has two base_values, and weights for one of two classes alone")
    start = base[0] if base else 0.0
    # The logistic function is taken of s and -s, whatever the scores without it are.
    opposite = 1.0 if positive and transform != "LOGISTIC" else 0.0
    both = {
        **_targets(writer, [*(0 for _ in ids), *(1 for _ in ids)], [*(-w for w in weights), *weights]),
        "base_values": [opposite - start, start],
    }
    # A label is the second class where s is above a half, or above 0.
    label = (1.0, 0.0) if positive and transform == "LOGISTIC" else ()
    return _Scores(both, label), "NONE" if transform.startswith("SOFTMAX") else transform


def _targets(writer: NodeWriter, ids: Sequence[int], weights: Sequence[float]) -> dict[str, Any]:
    """Attributes of a regressor; leaves are repeated where there are more weights than the classifier has."""
    leaves = {name: list(writer.attributes[f"class_{name}"]) for name in ("treeids", "nodeids")}
    repeated = len(ids) // max(1, len(leaves["nodeids"]))
    columns = {f"target_{name}": values * repeated for name, values in leaves.items()}
    return {**columns, "target_ids": list(ids), "target_weights": list(weights)}


EXPANSIONS = (
    Expansion(REGRESSOR, "of one row of features", _regressor, CLASSICAL),
    Expansion(NEWEST, "of one row of features", _regressor, CLASSICAL),
    Expansion(
        "TreeEnsembleClassifier", "of one row of features, with integer labels", _classifier, CLASSICAL
    ),
)
