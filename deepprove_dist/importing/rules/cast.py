"""Cast and CastLike: to integers values are cut off towards zero, to truth values all but zero are one.

Between float types values stay as they are: even float16 keeps 11 bits, about what quantisation keeps. So do
integers in a type that holds them. Types of 32 bits and more do: all integers here are below 2^30 in size. In
narrower ones they wrap, as in onnxruntime.
"""

import numpy as np
import onnx

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError, unknown
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import (
    ALL_TYPES,
    FLOAT_TYPES,
    TRUTH_TYPES,
    type_name,
    whole_range,
)
from deepprove_dist.importing.rewriting.wrapping import in_type
from deepprove_dist.operators.pointwise import IDENTITY, Function, RealArray, call


def truth(x: RealArray) -> RealArray:
    """1 where x is not 0, else 0."""
    values: RealArray = np.where(np.isnan(x), x, np.asarray(x != 0, dtype=np.float64))
    return values


def _cast(node: OnnxNode, graph: GraphBuilder) -> str:
    return _converted(node, graph, node.attributes["to"])


def _cast_like(node: OnnxNode, graph: GraphBuilder) -> str:
    return _converted(node, graph, graph.type(node.output))


def _converted(node: OnnxNode, graph: GraphBuilder, target: int) -> str:
    source, tensor = graph.type(node.input(0)), graph.tensor(node.input(0))
    if onnx.TensorProto.UNDEFINED in (source, target):
        raise unknown(f"the type of '{node.input(0)}'")
    if source not in ALL_TYPES or target not in ALL_TYPES:
        raise UnsupportedNodeError(f"it casts {type_name(source)} to {type_name(target)}")
    function = _function(source, target)
    return tensor if function == IDENTITY else apply(graph, tensor, function)


def _function(source: int, target: int) -> Function:
    if target in FLOAT_TYPES or source in TRUTH_TYPES or source == target:
        return IDENTITY
    if target in TRUTH_TYPES:
        return call(truth, IDENTITY)
    function: Function = call(np.trunc, IDENTITY) if source in FLOAT_TYPES else IDENTITY
    held, ends = whole_range(source), whole_range(target)
    assert ends is not None
    if held is not None and ends[0] <= held[0] and held[1] <= ends[1]:
        return function
    return in_type(function, target)


RULES = (
    Rule(
        "Cast",
        "between floats, integers and truth values",
        _cast,
        frozenset({"to", "saturate", "round_mode"}),
        types=ALL_TYPES,
    ),
    Rule(
        "CastLike",
        "between floats, integers and truth values",
        _cast_like,
        frozenset({"saturate", "round_mode"}),
        types=ALL_TYPES,
        since=15,
    ),
)
