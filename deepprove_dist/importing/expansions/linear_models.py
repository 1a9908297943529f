"""Linear models of ai.onnx.ml: a matrix, a constant for each target, and a function of the scores."""

import numpy as np
import onnx

from deepprove_dist.importing.expanding.class_labels import class_labels, write_label
from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_writer import NodeWriter
from deepprove_dist.importing.expanding.post_transforms import of_one_score, transformed, transformed_single
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.standard import CLASSICAL

BINARY = 2


def _regressor(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    writer = NodeWriter(node, scope)
    targets = writer.attributes.get("targets", 1)
    scores = _scores(writer, targets)
    transform = writer.attributes.get("post_transform", b"NONE").decode()
    apply = transformed_single if targets == 1 else transformed
    writer.result(apply(writer, scores, transform))
    return writer.nodes


def _classifier(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    writer = NodeWriter(node, scope)
    labels = class_labels(writer.attributes)
    width = writer.width(node.input[0])
    rows = len(writer.attributes["coefficients"]) // max(width, 1)
    transform = writer.attributes.get("post_transform", b"NONE").decode()
    if rows == 1 and len(labels) == BINARY:
        # One row is the second class's; onnxruntime takes 1 - score as the other's, or its logistic.
        opposite = 0.0 if transform == "LOGISTIC" else 1.0
        scores = _scores(writer, 1, opposite)
        label_scores = scores if opposite == 0.0 else _scores(writer, 1, 0.0)
        transform = of_one_score(transform)
    elif rows == len(labels):
        scores = label_scores = _scores(writer, rows)
    else:
        raise UnsupportedNodeError(
            f"its coefficients are for {rows} scores, and it has {len(labels)} classes",
            "a score for each class, or one for two",
        )
    # A score of a linear model is never exactly 0, as SOFTMAX_ZERO asks.
    writer.result(transformed(writer, scores, transform), 1)
    write_label(writer, label_scores, labels)
    return writer.nodes


def _scores(writer: NodeWriter, rows: int, opposite: float | None = None) -> str:
    """The scores [1, rows]; with ``opposite``, of one row that number less the score, and the score."""
    matrix = np.array(writer.attributes.get("coefficients", ()), dtype=np.float64)
    matrix = matrix.reshape(rows, writer.width(writer.node.input[0]))
    constants = np.array(writer.attributes.get("intercepts") or [0.0] * rows, dtype=np.float64)
    if len(constants) != rows:
        raise UnsupportedNodeError(f"it has {len(constants)} intercepts for {rows} scores")
    if opposite is not None:
        matrix = np.concatenate([-matrix, matrix])
        constants = np.array([opposite - constants[0], constants[0]])
    return writer.affine(writer.floats(writer.node.input[0]), matrix.T, constants)


EXPANSIONS = (
    Expansion("LinearRegressor", "of a matrix of features", _regressor, CLASSICAL),
    Expansion("LinearClassifier", "of a matrix of features, with integer labels", _classifier, CLASSICAL),
)
