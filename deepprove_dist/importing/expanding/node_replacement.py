"""Writing the ONNX nodes that take the place of one: names, constants, and what inference cannot know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.reasons import unknown


class NodeReplacement:
    """Collects the nodes that compute what a node does; ``attributes`` are those of that node."""

    def __init__(self, node: onnx.NodeProto, scope: Scope) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.attributes: dict[str, Any] = {
            attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute
        }
        self._node = node
        self._scope = scope

    def input(self, index: int) -> str:
        """Name of the input, "" if it is omitted."""
        return self._node.input[index] if index < len(self._node.input) else ""

    def shape(self, tensor: str) -> Shape:
        """The shape of a tensor. Raises ConsequenceError where it is not known."""
        return tuple(axis.dim_value for axis in self._information(tensor).type.tensor_type.shape.dim)

    def kind(self, tensor: str) -> int:
        """The ONNX element type of a tensor. Raises ConsequenceError where it is not known."""
        return self._information(tensor).type.tensor_type.elem_type

    def value(self, name: str) -> npt.NDArray[Any] | None:
        """The value of a constant, None for a computed tensor."""
        return self._scope.known.get(name)

    def constant(self, values: npt.ArrayLike, like: str) -> str:
        """A constant of the element type of a tensor."""
        dtype = helper.tensor_dtype_to_np_dtype(self.kind(like))
        return self._scope.constant(f"{self._node.name}/constant", np.asarray(values, dtype=dtype))

    def integers(self, values: npt.ArrayLike) -> str:
        """A constant of int64."""
        return self._scope.constant(f"{self._node.name}/integers", np.asarray(values, dtype=np.int64))

    def truth_values(self, values: npt.NDArray[np.bool_]) -> str:
        """A constant of truth values."""
        return self._scope.constant(f"{self._node.name}/truth", values)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Adds a node of the standard, and returns the tensor that it computes."""
        output = self._scope.fresh(f"{self._node.name}/{operator}")
        self.nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def add_like(self, like: str, operator: str, *inputs: str, **attributes: Any) -> str:
        """The same where the opset may be older than the operator: the output is as ``like`` is."""
        output = self.add(operator, *inputs, **attributes)
        self._scope.state(output, self.kind(like), self.shape(like))
        return output

    def finished(self, first: str, further: Mapping[int, str] | None = None) -> list[onnx.NodeProto] | None:
        """All nodes, where these tensors are the first output and further ones.

        None where other outputs are used.
        """
        outputs = {0: first, **(further or {})}
        for index, name in enumerate(self._node.output):
            if name and index in outputs:
                source, label = outputs[index], f"{self._node.name}/{name}"
                self.nodes.append(helper.make_node("Identity", [source], [name], label))
            elif name and self._scope.is_used(name):
                return None
        return self.nodes

    def _information(self, tensor: str) -> onnx.ValueInfoProto:
        information = self._scope.information(tensor)
        if information is None:
            raise unknown(f"the shape of '{tensor}'")
        return information
