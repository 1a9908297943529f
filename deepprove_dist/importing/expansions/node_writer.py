"""Writes the ONNX nodes that take the place of one: each is named after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError, unknown
from deepprove_dist.importing.rewriting.scope import Scope

# The first opset in which Softmax is along one axis, and axes of Unsqueeze are an input.
SOFTMAX_ALONG_AN_AXIS = AXES_AS_INPUT = 13


class NodeWriter:
    """Collects ``nodes``. ``attributes`` are those of the node that they replace."""

    def __init__(self, node: onnx.NodeProto, scope: Scope) -> None:
        self.node, self.nodes = node, list[onnx.NodeProto]()
        self.attributes: Mapping[str, Any] = {
            attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute
        }
        self._scope = scope

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node of the standard, and the tensor that it computes."""
        output = self._scope.fresh(f"{self.node.name}/{operator}")
        self.nodes.append(helper.make_node(operator, inputs, [output], self.node.name, **attributes))
        return output

    def numbers(self, values: npt.ArrayLike) -> str:
        """A constant of float32."""
        return self._scope.constant(f"{self.node.name}/numbers", np.asarray(values, dtype=np.float32))

    def integers(self, values: npt.ArrayLike) -> str:
        """A constant of int64."""
        return self._scope.constant(f"{self.node.name}/integers", np.asarray(values, dtype=np.int64))

    def cast(self, tensor: str, kind: int) -> str:
        """A tensor as another type."""
        return self.add("Cast", tensor, to=kind)

    def floats(self, tensor: str) -> str:
        """A tensor of any numbers as float32."""
        return self.cast(tensor, onnx.TensorProto.FLOAT)

    def unsqueezed(self, tensor: str) -> str:
        """A tensor with one more axis of size 1, after the others."""
        if self._scope.opset < AXES_AS_INPUT:
            return self.add("Unsqueeze", tensor, axes=[-1])
        return self.add("Unsqueeze", tensor, self.integers([-1]))

    def width(self, tensor: str) -> int:
        """The size of the last axis of a matrix. Raises UnsupportedNodeError for other tensors."""
        shape = self._scope.shapes.get(tensor)
        if shape is None:
            raise unknown(f"the shape of '{tensor}'")
        if len(shape) != 2:
            raise UnsupportedNodeError(f"it reads a tensor of shape {shape}", "tensors of two axes")
        return shape[1]

    def is_used(self, output: int) -> bool:
        """Whether an output of the node is read, or is one of the graph."""
        graph, names = self._scope.model.graph, self.node.output
        name = names[output] if output < len(names) else ""
        return bool(name) and (
            any(name in other.input for other in graph.node)
            or any(name == value.name for value in graph.output)
        )

    def softmax(self, tensor: str) -> str:
        """Along the last of two axes."""
        axis = -1 if self._scope.opset >= SOFTMAX_ALONG_AN_AXIS else 1
        return self.add("Softmax", tensor, axis=axis)

    def states(self, output: int, shape: tuple[int, ...]) -> bool:
        """States the shape of an output that inference does not know; whether it was not known before."""
        name = self.node.output[output]
        if name in self._scope.shapes:
            return False
        kind = onnx.TensorProto.FLOAT
        self._scope.model.graph.value_info.append(helper.make_tensor_value_info(name, kind, shape))
        return True

    def copy(self, operator: str, output: str, attributes: Mapping[str, Any]) -> None:
        """A node of the same domain on the same inputs, with other attributes."""
        node = helper.make_node(
            operator, self.node.input, [output], self.node.name, domain=self.node.domain, **attributes
        )
        self.nodes.append(node)

    def fresh(self) -> str:
        """A name for a tensor."""
        return self._scope.fresh(f"{self.node.name}/scores")

    def result(self, tensor: str, output: int = 0) -> None:
        """Makes a tensor the node's output of this number, if it has that."""
        if output < len(self.node.output) and self.node.output[output]:
            name = self.node.output[output]
            self.nodes.append(helper.make_node("Identity", [tensor], [name], self.node.name))
