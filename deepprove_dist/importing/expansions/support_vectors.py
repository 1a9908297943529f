"""Support vector machines: a kernel of the features and each support vector, and sums of these.

    LINEAR   x . v
    POLY     (gamma x . v + c)^degree
    SIGMOID  tanh(gamma x . v + c)
    RBF      exp(-gamma |x - v|^2), with |x - v|^2 = |x|^2 - 2 x . v + |v|^2

A classifier has a sum for each pair of classes, whose sign is a vote for one of them.
"""

from itertools import combinations, pairwise

import numpy as np
import onnx

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.expanding.class_labels import class_labels, write_label
from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_writer import NodeWriter
from deepprove_dist.importing.expanding.post_transforms import of_one_score, transformed
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.reasons import PLAIN_SCORES, UnsupportedNodeError
from deepprove_dist.importing.rewriting.standard import CLASSICAL

BINARY = 2


def _regressor(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    writer = NodeWriter(node, scope)
    if writer.attributes.get("one_class", 0):
        raise UnsupportedNodeError("its one_class is set", "one_class = 0, and Sign after it")
    if (transform := _transform(writer)) != "NONE":
        raise UnsupportedNodeError(
            f"its post_transform is {transform}, which the standard and onnxruntime compute otherwise",
            "post_transform NONE",
            PLAIN_SCORES,
        )
    coefficients = np.array(writer.attributes["coefficients"])
    if writer.attributes.get("n_supports", 0):
        values = _kernels(writer)
    else:
        values = writer.floats(node.input[0])
        if len(coefficients) != writer.width(node.input[0]):
            raise UnsupportedNodeError("it has no support vectors, and no coefficient for each feature")
    writer.result(writer.affine(values, coefficients[:, None], np.array(writer.attributes["rho"][:1])))
    return writer.nodes


def _classifier(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto]:
    writer = NodeWriter(node, scope)
    labels, counts = class_labels(writer.attributes), writer.attributes.get("vectors_per_class", ())
    if len(counts) != len(labels) or len(labels) < BINARY:
        raise UnsupportedNodeError("it has no support vectors of each class", "classifiers with them")
    transform = _transform(writer)
    pairs = _pairs(writer, counts)
    signs = np.array(writer.attributes["rho"])
    scaled = writer.attributes.get("prob_a", ())
    scores = writer.affine(_kernels(writer), pairs, signs)
    if scaled and len(labels) > BINARY and writer.uses(1):
        raise UnsupportedNodeError(
            "its probabilities of more than two classes follow from an iteration",
            "probabilities of two classes, and scores",
            "train it with probability=False, or prove its label alone",
        )
    if len(labels) == BINARY:
        label = writer.add("MatMul", scores, writer.numbers([[1.0, -1.0]]))
        if scaled:
            (a, *_), (b, *_) = scaled, writer.attributes["prob_b"]
            both = writer.add("Sigmoid", writer.affine(scores, [[-a, a]], np.array([-b, b])))
        else:
            both, transform = _both(writer, scores, transform)
        writer.result(transformed(writer, both, transform), 1)
    else:
        writer.result(transformed(writer, scores, transform), 1)
        positive = writer.floats(writer.add("Greater", scores, writer.numbers([0.0])))
        label = _votes(writer, positive, len(labels))
    write_label(writer, label, labels)
    return writer.nodes


def _both(writer: NodeWriter, score: str, transform: str) -> tuple[str, str]:
    """The scores of two classes, and which function of them comes then: of a softmax s and 1 - s remain."""
    opposite = 1.0 if transform.startswith("SOFTMAX") else 0.0
    both = writer.affine(score, [[-1.0, 1.0]], [opposite, 0.0])
    return both, of_one_score(transform)


def _transform(writer: NodeWriter) -> str:
    transform: bytes = writer.attributes.get("post_transform", b"NONE")
    return transform.decode()


def _pairs(writer: NodeWriter, counts: list[int]) -> FloatArray:
    """The coefficients [vectors, pairs] of the sum for each pair of classes."""
    coefficients = np.array(writer.attributes["coefficients"]).reshape(len(counts) - 1, -1)
    starts = [0, *np.cumsum(counts).tolist()]
    ranges = [slice(*ends) for ends in pairwise(starts)]
    columns = []
    for first, second in combinations(range(len(counts)), 2):
        column = np.zeros(coefficients.shape[1])
        column[ranges[first]] = coefficients[second - 1, ranges[first]]
        column[ranges[second]] = coefficients[first, ranges[second]]
        columns.append(column)
    return np.stack(columns, axis=1)


def _votes(writer: NodeWriter, positive: str, classes: int) -> str:
    """How many pairs each class wins, where 1 says that the first class of a pair does."""
    pairs = list(combinations(range(classes), 2))
    matrix, constants = np.zeros((len(pairs), classes)), np.zeros(classes)
    for index, (first, second) in enumerate(pairs):
        matrix[index, first], matrix[index, second] = 1.0, -1.0
        constants[second] += 1.0
    return writer.affine(positive, matrix, constants)


def _kernels(writer: NodeWriter) -> str:
    """The kernel of each support vector, [1, vectors]."""
    features = writer.floats(writer.node.input[0])
    vectors = np.array(writer.attributes["support_vectors"]).reshape(-1, writer.width(writer.node.input[0]))
    kind = writer.attributes.get("kernel_type", b"LINEAR").decode()
    gamma, constant, degree = writer.attributes.get("kernel_params") or (0.0, 0.0, 0.0)
    shift = np.full(len(vectors), constant)
    match kind:
        case "LINEAR":
            return writer.add("MatMul", features, writer.numbers(vectors.T))
        case "POLY":
            sums = writer.affine(features, gamma * vectors.T, shift)
            return writer.add("Pow", sums, writer.numbers(degree))
        case "SIGMOID":
            return writer.add("Tanh", writer.affine(features, gamma * vectors.T, shift))
        case "RBF":
            squares = writer.add("Mul", features, features)
            norm = writer.add("MatMul", squares, writer.numbers(np.full(vectors.T.shape, -gamma)))
            sums = writer.affine(features, 2 * gamma * vectors.T, -gamma * np.square(vectors).sum(axis=1))
            return writer.add("Exp", writer.add("Add", norm, sums))
    raise UnsupportedNodeError(f"its kernel_type is {kind}", "LINEAR, POLY, SIGMOID and RBF")


EXPANSIONS = (
    Expansion("SVMRegressor", "of a matrix of features, with any kernel", _regressor, CLASSICAL),
    Expansion(
        "SVMClassifier",
        "of a matrix of features, with any kernel and integer labels, probabilities of two classes",
        _classifier,
        CLASSICAL,
    ),
)
