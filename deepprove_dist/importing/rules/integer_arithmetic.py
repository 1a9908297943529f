"""Mod, BitShift and the bitwise operators: functions of one tensor and a number, or tables of pairs."""

import numpy as np
import onnx

from deepprove_dist.importing.rewriting.broadcasting import broadcast_all
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.by_value import apply_by_value
from deepprove_dist.importing.rewriting.constants import constant_tensor
from deepprove_dist.importing.rewriting.functions import apply, combine
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import FLOAT_TYPES, INTEGER_TYPES, NUMBER_TYPES
from deepprove_dist.operators import whole_numbers
from deepprove_dist.operators.pair_table import FloatPairTable
from deepprove_dist.operators.pointwise import IDENTITY, Function, Primitive, call

SUPPORTED = "of integers, computed or constant; pairs of computed ones have small ranges"


def _applied(node: OnnxNode, graph: GraphBuilder, primitive: Primitive) -> str:
    constants = [graph.is_constant(name) for name in node.inputs]
    if any(constants):
        index = constants.index(True)
        values, like = graph.numbers(node.input(index), "an operand"), graph.tensor(node.input(1 - index))
        if values.size == 1 and values.ndim <= len(graph.shape(like)):
            operands = (values.item(), IDENTITY) if index == 0 else (IDENTITY, values.item())
            return apply(graph, like, call(primitive, *operands))

        def function(number: float) -> Function:
            return call(primitive, *((number, IDENTITY) if index == 0 else (IDENTITY, number)))

        by_value = apply_by_value(graph, like, values, function)
        if by_value is not None:
            return by_value
        constant = constant_tensor(graph, values, like)
        tensors = [constant, like] if index == 0 else [like, constant]
    else:
        tensors = [graph.tensor(name) for name in node.inputs]
        combined = combine(graph, tensors[0], tensors[1], lambda x, y: call(primitive, x, y))
        if combined is not None:
            return combined
    if graph.type(node.output) in FLOAT_TYPES:
        raise UnsupportedNodeError("it is of two tensors of floats", "a tensor of floats and a number")
    first, second = broadcast_all(graph, tensors)
    return graph.add(FloatPairTable, (first, second), primitive)


def _mod(node: OnnxNode, graph: GraphBuilder) -> str:
    divisor = node.input(1)
    if graph.is_constant(divisor) and not graph.numbers(divisor, "the divisor").all():
        raise UnsupportedNodeError("it divides by zero")
    return _applied(node, graph, np.fmod if node.attributes.get("fmod", 0) else np.mod)


def _shifted(node: OnnxNode, graph: GraphBuilder) -> str:
    if node.attributes["direction"] == b"RIGHT":
        return _applied(node, graph, whole_numbers.shifted_right)
    kind = onnx.helper.tensor_dtype_to_np_dtype(graph.type(node.output))
    shifts = whole_numbers.SHIFTED_LEFT if kind.kind == "u" else whole_numbers.SIGNED_SHIFTED_LEFT
    return _applied(node, graph, shifts[kind.itemsize * 8])


def _bitwise(operator: str, primitive: Primitive) -> Rule:
    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
        return _applied(node, graph, primitive)

    return Rule(operator, SUPPORTED, rewrite, types=INTEGER_TYPES, since=18)


RULES = (
    Rule("BitShift", SUPPORTED, _shifted, frozenset({"direction"}), INTEGER_TYPES, since=11),
    _bitwise("BitwiseAnd", whole_numbers.bitwise_and),
    _bitwise("BitwiseOr", whole_numbers.bitwise_or),
    _bitwise("BitwiseXor", whole_numbers.bitwise_xor),
    Rule("Mod", f"{SUPPORTED}, or of floats and a number", _mod, frozenset({"fmod"}), NUMBER_TYPES, since=10),
)
