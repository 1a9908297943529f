"""Tensors that a bit decides: they have one constant where it is 0, another one where it is 1.

Exporters compute masks so, of a model's input of truth values or of integers 0 and 1: (1 - bit) * -10000,
or Where(bit, 0, -infinity). The nodes between are evaluated for both values of the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.standard import INTEGER_TYPES, TRUTH_TYPES
from deepprove_dist.importing.rules.matching import COPIES
from deepprove_dist.operators import truth

ELEMENTWISE: Mapping[str, Callable[..., npt.NDArray[Any]]] = MappingProxyType(
    {
        "Add": np.add,
        "And": np.logical_and,
        "Div": np.divide,
        "Equal": np.equal,
        "Greater": np.greater,
        "GreaterOrEqual": np.greater_equal,
        "Less": np.less,
        "LessOrEqual": np.less_equal,
        "Mul": np.multiply,
        "Neg": np.negative,
        "Not": np.logical_not,
        "Or": np.logical_or,
        "Sub": np.subtract,
        "Where": truth.selected,
        "Xor": np.logical_xor,
    }
)
VIEWS = (
    "Expand",
    "Flatten",
    "Gather",
    "GatherND",
    "Reshape",
    "Slice",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
)
MOST_NODES = 64
"""Of those that compute a mask. What depends on more is looked at no further: long chains stay quick."""


@dataclass(frozen=True)
class ChoiceByBit:
    """The values that a tensor has where ``bit``, a computed ONNX tensor of 0 and 1, is 0, and where it is 1.

    All three broadcast to the tensor's shape.
    """

    bit: str
    when_0: FloatArray
    when_1: FloatArray

    @property
    def is_uniform(self) -> bool:
        """Whether both are the same at all positions."""
        return bool((self.when_0 == self.when_0.flat[0]).all() and (self.when_1 == self.when_1.flat[0]).all())


def find_choice(graph: GraphBuilder, name: str) -> ChoiceByBit | None:
    """The bit that decides a tensor; None where it is of another kind.

    Of several such bits it is the first one by which the choice is the same everywhere. Truth values go
    before integers, which may have other values than 0 and 1.
    """
    bits = sorted(_bits(graph, name), key=lambda bit: graph.type(bit) not in TRUTH_TYPES)
    choices = [choice for bit in bits if (choice := _choice(graph, name, bit)) is not None]
    return next((choice for choice in choices if choice.is_uniform), choices[0] if choices else None)


def is_bit(graph: GraphBuilder, name: str) -> bool:
    """Whether a computed tensor has truth values, or copies of an input of integers: those are 0 and 1."""
    while not graph.is_constant(name):
        node = graph.origin(name)
        if graph.type(name) in TRUTH_TYPES:
            return True
        if node is None:
            return graph.is_input(name) and graph.type(name) in INTEGER_TYPES
        if node.operator not in (*VIEWS, *COPIES):
            return False
        name = node.input(0)
    return False


def require_bit(graph: GraphBuilder, name: str) -> str:
    """The tensor of the float graph. An input of integers that it is a copy of may only be 0 and 1."""
    tensor = graph.tensor(name)
    if graph.type(name) not in TRUTH_TYPES:
        graph.reads_within(tensor, 0, 1)
    return tensor


def _bits(graph: GraphBuilder, name: str) -> list[str]:
    """The bits that a tensor depends on by nodes of `ELEMENTWISE`; those before others come first.

    None of a tensor that depends on more than `MOST_NODES`.
    """
    seen, bits, waiting = set[str](), list[str](), [(name, False)]
    while waiting:
        tensor, is_after_operands = waiting.pop()
        if is_after_operands:
            if is_bit(graph, tensor):
                bits.append(tensor)
            continue
        if tensor in seen or not tensor or graph.is_constant(tensor):
            continue
        seen.add(tensor)
        if len(seen) > MOST_NODES:
            return []
        node = graph.origin(tensor)
        waiting.append((tensor, True))
        if node is not None and (node.operator in ELEMENTWISE or node.operator in COPIES):
            waiting += [(operand, False) for operand in reversed(node.inputs)]
    return bits


def _choice(graph: GraphBuilder, name: str, bit: str) -> ChoiceByBit | None:
    with np.errstate(all="ignore"):
        values = [_evaluate(graph, name, {bit: np.asarray(value)}) for value in (0.0, 1.0)]
    if any(array is None or np.isnan(array).any() for array in values):
        return None
    first, second = (np.asarray(array, dtype=np.float64) for array in values)
    return ChoiceByBit(bit, first, second)


def _evaluate(
    graph: GraphBuilder, name: str, known: dict[str, npt.NDArray[Any] | None]
) -> npt.NDArray[Any] | None:
    """The tensor, broadcast or not, where the bit has its value; None where it depends on more than that."""
    if name not in known:
        known[name] = _computed(graph, name, known)
    return known[name]


def _computed(
    graph: GraphBuilder, name: str, known: dict[str, npt.NDArray[Any] | None]
) -> npt.NDArray[Any] | None:
    if graph.is_constant(name):
        return graph.numbers(name, "a mask", infinite=True)
    node = graph.origin(name)
    if node is None or not (node.operator in ELEMENTWISE or node.operator in COPIES):
        return None
    if node.operator in COPIES:
        value = _evaluate(graph, node.input(0), known)
        return None if value is None else _converted(graph, node, value)
    operands = [_evaluate(graph, operand, known) for operand in node.inputs]
    if any(operand is None for operand in operands):
        return None
    return ELEMENTWISE[node.operator](*operands)


def _converted(graph: GraphBuilder, node: OnnxNode, value: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """A cast to truth values; one of other numbers than integers to integers is none."""
    kind = graph.type(node.output)
    if kind in TRUTH_TYPES:
        return truth.not_equal(value, 0)
    whole = kind not in INTEGER_TYPES or np.array_equal(value, np.rint(value))
    return value if whole else None
