"""Trigonometric functions and their inverses, roundings, signs, and what only asks what a value is.

Quantised values are finite, so that none is infinite or NaN. Whole numbers of an integer type have their own
range: the complement of the bits of an unsigned x is the largest number of its type, less x.
"""

import math
from functools import reduce

import numpy as np
import onnx

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import (
    FLOAT_TYPES,
    INTEGER_TYPES,
    NUMBER_TYPES,
    TRUTH_TYPES,
)
from deepprove_dist.operators import truth
from deepprove_dist.operators.pointwise import IDENTITY, Function, Number, Primitive, call

X = IDENTITY


def _rule(
    operator: str, primitive: Primitive, since: int = 7, types: tuple[int, ...] = FLOAT_TYPES, what: str = ""
) -> Rule:
    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
        return apply(graph, graph.tensor(node.input(0)), call(primitive, X))

    supported = "of a tensor of numbers" if types == NUMBER_TYPES else "of a float tensor"
    return Rule(operator, what or supported, rewrite, types=types, since=since)


def _is_infinite(node: OnnxNode, graph: GraphBuilder) -> str:
    attributes = {"detect_negative": -math.inf, "detect_positive": math.inf}
    numbers = [number for name, number in attributes.items() if node.attributes.get(name, 1)]
    tests = [call(truth.equal, X, number) for number in numbers]
    nothing: Function = Number(0.0)
    infinite = reduce(lambda x, y: call(truth.either, x, y), tests, nothing)
    return apply(graph, graph.tensor(node.input(0)), infinite)


def _thresholded(node: OnnxNode, graph: GraphBuilder) -> str:
    alpha = _finite(node, "alpha", 1.0)
    return apply(graph, graph.tensor(node.input(0)), X * call(truth.greater, X, alpha))


def _shrunk(node: OnnxNode, graph: GraphBuilder) -> str:
    bias, border = _finite(node, "bias", 0.0), _finite(node, "lambd", 0.5)
    above: Function = (X - bias) * call(truth.greater, X, border)
    below = (X + bias) * call(truth.less, X, -border)
    return apply(graph, graph.tensor(node.input(0)), above + below)


def _finite(node: OnnxNode, name: str, default: float) -> float:
    value = float(node.attributes.get(name, default))
    if not math.isfinite(value):
        raise UnsupportedNodeError(f"its attribute '{name}' is {value}", "finite attributes")
    return value


def _complement(node: OnnxNode, graph: GraphBuilder) -> str:
    kind = np.iinfo(onnx.helper.tensor_dtype_to_np_dtype(graph.type(node.output)))
    return apply(graph, graph.tensor(node.input(0)), X * -1 + (int(kind.max) + int(kind.min)))


RULES = (
    _rule("Acos", np.arccos),
    _rule("Acosh", np.arccosh, since=9),
    _rule("Asin", np.arcsin),
    _rule("Atanh", np.arctanh, since=9),
    Rule("BitwiseNot", "of a tensor of integers", _complement, types=INTEGER_TYPES, since=18),
    _rule("Ceil", np.ceil),
    _rule("Cos", np.cos),
    _rule("Floor", np.floor),
    Rule(
        "IsInf",
        "of a float tensor; proven values are finite",
        _is_infinite,
        frozenset({"detect_negative", "detect_positive"}),
        TRUTH_TYPES,
        since=10,
    ),
    _rule(
        "IsNaN",
        truth.not_a_number,
        since=9,
        types=TRUTH_TYPES,
        what="of a float tensor; proven values are finite",
    ),
    _rule("Round", np.rint, since=11),
    Rule("Shrink", "of a float tensor", _shrunk, frozenset({"bias", "lambd"}), since=9),
    _rule("Sign", np.sign, since=9, types=NUMBER_TYPES),
    _rule("Sin", np.sin),
    _rule("Tan", np.tan),
    Rule("ThresholdedRelu", "of a float tensor", _thresholded, frozenset({"alpha"}), since=10),
)
