"""A node on integers of stated formats: DequantizeLinear, a float operator and QuantizeLinear replace it.

Its inputs come in threes: a tensor, its scale and its zero point.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from deepprove_dist.importing.expanding.scope import Scope


class QuantisedNode:
    """The node, and in ``nodes`` what has been written to take its place."""

    def __init__(self, node: onnx.NodeProto, scope: Scope) -> None:
        self.node = node
        self.nodes: list[onnx.NodeProto] = []
        self.attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        self._scope = scope

    def input(self, index: int) -> str:
        """The name of an input, "" for one that is left out."""
        return self.node.input[index] if index < len(self.node.input) else ""

    def value(self, name: str) -> npt.NDArray[Any] | None:
        """The value of a constant; None for any other tensor."""
        return self._scope.known.get(name)

    def constant(self, value: npt.NDArray[Any]) -> str:
        """A new constant."""
        return self._scope.constant(f"{self.node.output[0]}/constant", value)

    def add(self, operator: str, inputs: Iterable[str], output: str = "", **attributes: Any) -> str:
        """Writes a node of the standard, and returns its output."""
        output = output or self._scope.fresh(f"{self.node.output[0]}/{operator}")
        self.nodes.append(helper.make_node(operator, list(inputs), [output], self.node.name, **attributes))
        return output

    def dequantised(self, index: int, axis: int = 1) -> str:
        """The real values of the input at an index, whose scale and zero point are the two after it."""
        inputs = [self.input(index), self.input(index + 1), self.input(index + 2)]
        return self.add("DequantizeLinear", inputs if inputs[2] else inputs[:2], axis=axis)

    def quantise(self, tensor: str, index: int) -> None:
        """Makes the output of real values; its scale and zero point are inputs from an index on."""
        zero_point = self.input(index + 1) or self.constant(np.zeros((), np.uint8))
        self.add("QuantizeLinear", [tensor, self.input(index), zero_point], self.node.output[0])

    def give(self, operator: str, inputs: Iterable[str], **attributes: Any) -> None:
        """Makes the output by a node of the standard."""
        self.add(operator, inputs, self.node.output[0], **attributes)
