"""Functions of scores that models of ai.onnx.ml end with, as onnxruntime computes them.

    LOGISTIC  1 / (1 + exp(-s))
    SOFTMAX   exp(s) / sum of exp(s)
    PROBIT    sqrt(2) erfinv(2 s - 1)

SOFTMAX_ZERO is a softmax of the scores that are not 0; others stay 0. PROBIT has an approximation of erfinv.
Of one score the standard and onnxruntime agree on NONE and PROBIT only.
"""

from math import pi, sqrt

from deepprove_dist.importing.expanding.node_writer import NodeWriter
from deepprove_dist.importing.rewriting.reasons import PLAIN_SCORES, UnsupportedNodeError

SHARE = 0.147
"""The constant of the approximation (S. Winitzki, 2008), as onnxruntime has it."""

FAR_BELOW = -1e4
"""Of scores whose exponential is 0."""

NAMES = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")


def transformed(writer: NodeWriter, scores: str, transform: str, *, zeros: bool = False) -> str:
    """A function of several scores [1, scores]. With ``zeros`` some may be 0 exactly.

    Raises UnsupportedNodeError for a function that there is not.
    """
    match transform:
        case "NONE":
            return scores
        case "LOGISTIC":
            return writer.add("Sigmoid", scores)
        case "SOFTMAX":
            return writer.softmax(scores)
        case "SOFTMAX_ZERO":
            return _without_zeros(writer, scores) if zeros else writer.softmax(scores)
        case "PROBIT":
            return _probit(writer, scores)
    raise UnsupportedNodeError(f"its post_transform is {transform}", f"the functions {', '.join(NAMES)}")


def transformed_single(writer: NodeWriter, score: str, transform: str) -> str:
    """A function of one score. Raises UnsupportedNodeError for those that have no one meaning."""
    if transform not in ("NONE", "PROBIT"):
        raise UnsupportedNodeError(
            f"its post_transform is {transform} and it has one target, which the standard and onnxruntime "
            "compute otherwise",
            "post_transform NONE or PROBIT for one target",
            PLAIN_SCORES,
        )
    return transformed(writer, score, transform)


def of_one_score(transform: str) -> str:
    """The function of both scores of two classes that a model has one score for.

    Raises UnsupportedNodeError for PROBIT, which onnxruntime takes of the other score alone.
    """
    if transform == "PROBIT":
        raise UnsupportedNodeError(
            "its post_transform is PROBIT, and it has one score for two classes, which the standard and "
            "onnxruntime compute otherwise",
            "post_transform PROBIT of a score for each class",
            PLAIN_SCORES,
        )
    return "NONE" if transform.startswith("SOFTMAX") else transform


def _without_zeros(writer: NodeWriter, scores: str) -> str:
    zero = writer.add("Equal", scores, writer.numbers(0.0))
    kept = writer.softmax(writer.add("Where", zero, writer.numbers(FAR_BELOW), scores))
    return writer.add("Where", zero, writer.numbers(0.0), kept)


def _probit(writer: NodeWriter, scores: str) -> str:
    """With z = 2 s - 1 and l = log(1 - z^2): sign(z) sqrt(2 (sqrt(v^2 - l / SHARE) - v)).

    Here v is 2 / (pi SHARE) + l / 2.
    """
    doubled = writer.add("Mul", scores, writer.numbers(2.0))
    centred = writer.add("Sub", doubled, writer.numbers(1.0))
    inside = writer.add("Sub", writer.numbers(1.0), writer.add("Mul", centred, centred))
    logarithm = writer.add("Log", inside)
    halved = writer.add("Mul", logarithm, writer.numbers(0.5))
    middle = writer.add("Add", halved, writer.numbers(2 / (pi * SHARE)))
    scaled = writer.add("Mul", logarithm, writer.numbers(1 / SHARE))
    root = writer.add("Sqrt", writer.add("Sub", writer.add("Mul", middle, middle), scaled))
    outer = writer.add("Sqrt", writer.add("Relu", writer.add("Sub", root, middle)))
    signed = writer.add("Mul", writer.add("Sign", centred), outer)
    return writer.add("Mul", signed, writer.numbers(sqrt(2.0)))
