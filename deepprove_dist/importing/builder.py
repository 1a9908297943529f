"""What rules see of the model, and how they add to the float graph."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.folding import static_shapes
from deepprove_dist.importing.reasons import FLOAT_TENSORS, ConsequenceError, UnsupportedNodeError, unknown
from deepprove_dist.operators.conv import FloatConv
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.reshape import FloatReshape

FLOAT_TYPES = (onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)

Numbers = npt.NDArray[np.float64]


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
    """Collects float nodes; looks names of tensors up through the aliases that pass-through nodes leave.

    A tensor whose node could not be mapped is known too, so that what reads it can be checked.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.nodes: list[FloatOperator] = []
        self._shapes = dict(static_shapes(model))
        self._types: dict[str, int] = {
            value.name: value.type.tensor_type.elem_type
            # An output may be an input too, and states no type then.
            for value in (*model.graph.output, *model.graph.value_info, *model.graph.input)
        }
        self._initializers = {tensor.name: tensor for tensor in model.graph.initializer}
        self._tensors: dict[str, str] = {value.name: value.name for value in model.graph.input}
        self._unknown_values: set[str] = set()
        self._producers: dict[str, FloatOperator] = {}
        self._readers = Counter(name for node in model.graph.node for name in node.input)
        self._readers.update(value.name for value in model.graph.output)

    def constant(self, name: str) -> npt.NDArray[Any] | None:
        """The value of a constant, None for a computed tensor.

        Raises ConsequenceError for one that follows from shapes which are not known.
        """
        if name in self._unknown_values:
            raise unknown(f"the value of '{name}'")
        tensor = self._initializers.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def required(self, name: str, role: str) -> npt.NDArray[Any]:
        """The value of an input that has to be constant. Raises UnsupportedNodeError, naming its role."""
        value = self.constant(name)
        if value is None:
            raise UnsupportedNodeError(f"{role} ('{name}') is not a constant")
        return value

    def numbers(self, name: str, role: str, *, infinite: bool = False) -> Numbers:
        """The finite values of a constant; infinite ones too if they are allowed.

        Raises UnsupportedNodeError, naming role and constant, where there are others, or none at all.
        """
        value = self.required(name, role)
        if value.dtype.kind not in "fiub":
            raise UnsupportedNodeError(f"{role} ('{name}') holds {value.dtype} values", FLOAT_TENSORS)
        if value.size == 0:
            raise UnsupportedNodeError(f"{role} ('{name}') is empty: its shape is {value.shape}")
        numbers: Numbers = value.astype(np.float64)
        if np.isnan(numbers).any() or not (infinite or np.isfinite(numbers).all()):
            raise UnsupportedNodeError(f"{role} ('{name}') holds NaN or infinite values", "finite constants")
        return numbers

    def tensor(self, name: str) -> str:
        """The float graph's name of a computed tensor. Raises UnsupportedNodeError for a constant."""
        if name in self._unknown_values:
            raise unknown(f"the value of '{name}'")
        if name not in self._tensors:
            raise UnsupportedNodeError(f"'{name}' is a constant where a computed tensor is expected")
        return self._tensors[name]

    def is_constant(self, name: str) -> bool:
        """Whether a tensor is a constant, of known value or not."""
        return name in self._initializers or name in self._unknown_values

    def depends_on_shapes_alone(self, names: Iterable[str]) -> bool:
        """Whether these are constants and values that follow from unknown shapes, with one such at least."""
        names = set(names)
        return bool(names & self._unknown_values) and all(map(self.is_constant, names))

    def type(self, name: str) -> int:
        """The ONNX element type of a computed tensor, 0 if inference could not tell."""
        return self._types.get(name, onnx.TensorProto.UNDEFINED)

    def shape(self, name: str) -> Shape:
        """The shape of a constant or computed tensor.

        Raises ConsequenceError where shape inference could not tell it.
        """
        if name in self._initializers:
            return tuple(self._initializers[name].dims)
        if name not in self._shapes:
            raise unknown(f"the shape of '{name}'")
        return self._shapes[name]

    def spatial(self, name: str) -> Shape:
        """The axes behind batch and channels. Raises UnsupportedNodeError unless there are one or two."""
        shape = self.shape(name)
        if not 3 <= len(shape) <= 4:
            raise UnsupportedNodeError(f"its input has the shape {shape}; windows have one or two axes")
        return shape[2:]

    def producer(self, tensor: str) -> FloatOperator | None:
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

    def intermediate(self, output: str, shape: Shape) -> str:
        """Name of a new tensor between the float nodes that compute one ONNX tensor together."""
        count = sum(name.startswith(f"{output}/") for name in self._shapes)
        name = f"{output}/{count}"
        while name in self._shapes or name in self._readers:
            name += "'"
        self._shapes[name], self._types[name], self._readers[name] = shape, self.type(output), 1
        return name

    def add(self, node: FloatOperator) -> None:
        """Adds a node whose input names are already looked up.

        Raises UnsupportedNodeError unless its output is float and not empty, and its weights are finite; the
        node is known even so, and what reads it can be checked.
        """
        if isinstance(node, FloatConv) and self.shape(node.input)[0] > 1:
            self._add_by_image(node)
            return
        self.nodes.append(node)
        self._producers[node.output] = node
        self._tensors[node.output] = node.output
        kind = self.type(node.output)
        if kind == onnx.TensorProto.UNDEFINED:
            raise unknown(f"the type of '{node.output}'")
        if kind not in FLOAT_TYPES:
            name = onnx.TensorProto.DataType.Name(kind)
            raise UnsupportedNodeError(
                f"it computes {name} values", FLOAT_TENSORS, "export the model with float32 tensors"
            )
        shape = self.shape(node.output)
        if 0 in shape:
            follows = any(0 in self._shapes.get(name, ()) for name in node.inputs)
            error = ConsequenceError if follows else UnsupportedNodeError
            raise error(f"it computes no values: its output has the shape {shape}")
        if isinstance(node, FloatDense | FloatConv) and not (
            np.isfinite(node.weight).all() and np.isfinite(node.bias).all()
        ):
            raise UnsupportedNodeError("its weights become infinite or NaN", "finite constants")

    def _add_by_image(self, node: FloatConv) -> None:
        """A convolution of several images a sample: of one image, which has a group for each of theirs."""
        images, channels, *spatial = self.shape(node.input)
        _, outputs, *positions = self.shape(node.output)
        joined = self.intermediate(node.output, (1, images * channels, *spatial))
        result = self.intermediate(node.output, (1, images * outputs, *positions))
        self.add(FloatReshape(node.name, node.inputs, joined, self.shape(joined)))
        self.add(
            replace(
                node,
                inputs=(joined,),
                output=result,
                weight=np.concatenate([node.weight] * images),
                bias=np.concatenate([node.bias] * images),
                groups=images * node.groups,
            )
        )
        self.add(FloatReshape(node.name, (result,), node.output, self.shape(node.output)))

    def add_unmapped(self, outputs: Iterable[str]) -> None:
        """Lets tensors be known whose node cannot be mapped."""
        for name in filter(None, outputs):
            self._tensors[name] = name

    def add_unknown_values(self, outputs: Iterable[str]) -> None:
        """Lets tensors be known that follow from shapes which are not known."""
        self._unknown_values.update(filter(None, outputs))
