"""What rules see of the model, and how they add to the float graph."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from deepprove_dist.errors import ModelError
from deepprove_dist.importing.float_graph import FloatConv, FloatDense, FloatNode
from deepprove_dist.importing.folding import static_shapes
from deepprove_dist.model.integer_model import Shape

FLOAT_TYPES = (onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)


class UnsupportedNodeError(ModelError):
    """Raised by a rule that cannot map its node; the text is the reason, without the node's name."""


@dataclass(frozen=True)
class OnnxNode:
    """A node of the ONNX graph; an omitted optional input is "" or missing at the end."""

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def input(self, index: int) -> str:
        """Name of the input, "" if it is omitted."""
        return self.inputs[index] if index < len(self.inputs) else ""


class GraphBuilder:
    """Collects float nodes; looks names of tensors up through the aliases that pass-through nodes leave."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.nodes: list[FloatNode] = []
        self._shapes = static_shapes(model)
        self._types: dict[str, int] = {
            value.name: value.type.tensor_type.elem_type
            for value in (*model.graph.input, *model.graph.value_info, *model.graph.output)
        }
        self._initializers = {tensor.name: tensor for tensor in model.graph.initializer}
        self._tensors: dict[str, str] = {value.name: value.name for value in model.graph.input}
        self._producers: dict[str, FloatNode] = {}
        self._readers = Counter(name for node in model.graph.node for name in node.input)
        self._readers.update(value.name for value in model.graph.output)

    def knows(self, name: str) -> bool:
        """Whether the name is a constant or a tensor that has been mapped."""
        return name in self._initializers or name in self._tensors

    def constant(self, name: str) -> npt.NDArray[Any] | None:
        """The value of a constant, None for a computed tensor."""
        tensor = self._initializers.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def required(self, name: str, role: str) -> npt.NDArray[Any]:
        """The value of an input that has to be constant. Raises UnsupportedNodeError, naming its role."""
        value = self.constant(name)
        if value is None:
            raise UnsupportedNodeError(f"{role} ('{name}') is not a constant")
        return value

    def tensor(self, name: str) -> str:
        """The float graph's name of a computed tensor. Raises UnsupportedNodeError for a constant."""
        if name not in self._tensors:
            raise UnsupportedNodeError(f"'{name}' is a constant where a computed tensor is expected")
        return self._tensors[name]

    def type(self, name: str) -> int:
        """The ONNX element type of a computed tensor, 0 if inference could not tell."""
        return self._types.get(name, onnx.TensorProto.UNDEFINED)

    def shape(self, name: str) -> Shape:
        """Raises UnsupportedNodeError where shape inference could not tell the shape."""
        if name not in self._shapes:
            raise UnsupportedNodeError(f"the shape of '{name}' is not known before the model runs")
        return self._shapes[name]

    def spatial(self, name: str) -> Shape:
        """The axes behind batch and channels. Raises UnsupportedNodeError unless there are one or two."""
        shape = self.shape(name)
        if not 3 <= len(shape) <= 4:
            raise UnsupportedNodeError(f"its input has the shape {shape}; windows have one or two axes")
        return shape[2:]

    def producer(self, tensor: str) -> FloatNode | None:
        """The node that computes a tensor of the float graph; None for an input."""
        return self._producers.get(tensor)

    def readers(self, name: str) -> int:
        """How often nodes read a tensor, or the graph puts it out."""
        return self._readers[name]

    def alias(self, output: str, tensor: str) -> None:
        """Lets ``output`` be another name of a computed tensor."""
        source = self.tensor(tensor)
        self._tensors[output] = source
        self._readers[source] += self._readers[output] - 1

    def add(self, node: FloatNode) -> None:
        """Adds a node whose input names are already looked up. Raises UnsupportedNodeError unless its output
        is float.
        """
        if self.type(node.output) not in FLOAT_TYPES:
            kind = onnx.TensorProto.DataType.Name(self.type(node.output))
            raise UnsupportedNodeError(f"it computes {kind} values; tensors are float16, float or double")
        self.shape(node.output)
        if isinstance(node, FloatDense | FloatConv) and not (
            np.isfinite(node.weight).all() and np.isfinite(node.bias).all()
        ):
            raise UnsupportedNodeError("its weights hold NaN or infinite values")
        self.nodes.append(node)
        self._producers[node.output] = node
        self._tensors[node.output] = node.output
