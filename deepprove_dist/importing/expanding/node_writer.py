"""Writes the ONNX nodes that take the place of one of ai.onnx.ml: numbers, casts, rows, and its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.expanding.stacking import AXES_AS_INPUT
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError, unknown

# The first opset in which Softmax is along one axis.
SOFTMAX_ALONG_AN_AXIS = 13


class NodeWriter(NodeReplacement):
    """``node`` is the one that is replaced."""

    def __init__(self, node: onnx.NodeProto, scope: Scope) -> None:
        super().__init__(node, scope)
        self.node = node

    def numbers(self, values: npt.ArrayLike) -> str:
        """A constant of float32."""
        return self._scope.constant(f"{self.node.name}/numbers", np.asarray(values, dtype=np.float32))

    def cast(self, tensor: str, kind: int) -> str:
        """A tensor as another type."""
        return self.add("Cast", tensor, to=kind)

    def floats(self, tensor: str) -> str:
        """A tensor of any numbers as float32."""
        return self.cast(tensor, onnx.TensorProto.FLOAT)

    def affine(self, tensor: str, matrix: npt.ArrayLike, shift: npt.ArrayLike) -> str:
        """A tensor times a matrix, plus a constant for each column."""
        return self.add("Add", self.add("MatMul", tensor, self.numbers(matrix)), self.numbers(shift))

    def with_axis(self, tensor: str) -> str:
        """A tensor with one more axis of size 1, after the others."""
        return self._on_last_axis("Unsqueeze", tensor)

    def without_axis(self, tensor: str) -> str:
        """A tensor without its last axis, of size 1."""
        return self._on_last_axis("Squeeze", tensor)

    def _on_last_axis(self, operator: str, tensor: str) -> str:
        if self._scope.opset < AXES_AS_INPUT:
            return self.add(operator, tensor, axes=[-1])
        return self.add(operator, tensor, self.integers([-1]))

    def softmax(self, tensor: str) -> str:
        """Along the last of two axes."""
        return self.add("Softmax", tensor, axis=-1 if self._scope.opset >= SOFTMAX_ALONG_AN_AXIS else 1)

    def width(self, tensor: str) -> int:
        """The size of the last axis of a matrix. Raises UnsupportedNodeError for other tensors."""
        shape = self._scope.shapes.get(tensor)
        if shape is None:
            raise unknown(f"the shape of '{tensor}'")
        if len(shape) != 2:
            raise UnsupportedNodeError(f"it reads a tensor of shape {shape}", "tensors of two axes")
        return shape[1]

    def uses(self, output: int) -> bool:
        """Whether an output of the node is read, or is one of the graph."""
        names = self.node.output
        return output < len(names) and bool(names[output]) and self._scope.is_used(names[output])

    def is_stated(self, output: int) -> bool:
        """Whether the shape of an output is known."""
        return self.node.output[output] in self._scope.shapes

    def copy(self, operator: str, shape: Shape, attributes: Mapping[str, Any], output: str = "") -> str:
        """A node of the same domain on the same inputs, and what it computes: float32 of this shape."""
        output = output or self._scope.fresh(f"{self.node.name}/{operator}")
        domain = self.node.domain
        node = helper.make_node(
            operator, self.node.input, [output], self.node.name, domain=domain, **attributes
        )
        self.nodes.append(node)
        self._scope.state(output, onnx.TensorProto.FLOAT, shape)
        return output

    def result(self, tensor: str, output: int = 0) -> None:
        """Makes a tensor the node's output of this number, if it has that."""
        if output < len(self.node.output) and self.node.output[output]:
            name = self.node.output[output]
            self.nodes.append(helper.make_node("Identity", [tensor], [name], f"{self.node.name}/{name}"))
