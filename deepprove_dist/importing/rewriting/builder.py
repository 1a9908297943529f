"""What rules see of the model, and how they add to the float graph.

A rule adds as many float nodes as it needs, and returns the tensor that the ONNX node computes. Of a node
with several outputs it returns a tuple. These tensors get the ONNX names of the node's outputs. Tensors
between get names of their own, which no ONNX tensor has.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Set
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec

import numpy as np
import numpy.typing as npt
import onnx

from deepprove_dist.arrays import FloatArray, Reals, Shape
from deepprove_dist.errors import AccuracyWarning, Cause
from deepprove_dist.importing.rewriting.onnx_graph import static_shapes, tensor_names
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import (
    CUT,
    FLOAT_TENSORS,
    ConsequenceError,
    UnsupportedNodeError,
    unknown,
)
from deepprove_dist.importing.rewriting.standard import FLOAT_TYPES, STANDARD, type_name
from deepprove_dist.importing.rewriting.stored_constants import read_constant
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.row_blocks import row_blocks

P = ParamSpec("P")

LARGE = 2**16
"""Values of a constant that is not copied."""


class GraphBuilder:
    """Collects float nodes; looks names of tensors up through the aliases that pass-through nodes leave.

    A tensor whose node could not be mapped is known too, so that what reads it can be checked.
    ``reserved`` are names that no tensor between float nodes may have. ``hidden`` are outputs that statements
    hide.
    """

    def __init__(
        self, model: onnx.ModelProto, reserved: Set[str] = frozenset(), hidden: Set[str] = frozenset()
    ) -> None:
        self.nodes: list[FloatOperator] = []
        self.opset = max((o.version for o in model.opset_import if o.domain in STANDARD), default=0)
        self._names = set(reserved | tensor_names(model))
        self._shapes = dict(static_shapes(model))
        self._types: dict[str, int] = {
            value.name: value.type.tensor_type.elem_type
            # An output may be an input too, and states no type then.
            for value in (*model.graph.output, *model.graph.value_info, *model.graph.input)
        }
        self._origins = {name: node for node in model.graph.node for name in node.output if name}
        self._known_origins: dict[str, OnnxNode | None] = {}
        self._initializers = {tensor.name: tensor for tensor in model.graph.initializer}
        self._tensors: dict[str, str] = {value.name: value.name for value in model.graph.input}
        self._inputs = frozenset(self._tensors)
        self._unknown_values: set[str] = set()
        self._producers: dict[str, FloatOperator] = {}
        self._reading = defaultdict[str, list[onnx.NodeProto]](list)
        for node in model.graph.node:
            for name in node.input:
                self._reading[name].append(node)
        self._outputs_of_graph = frozenset(value.name for value in model.graph.output)
        self._hidden = hidden
        self._readers = Counter(name for node in model.graph.node for name in node.input)
        self._readers.update(value.name for value in model.graph.output)
        self.index_ranges: dict[str, tuple[int, int]] = {}
        self.warnings: list[AccuracyWarning] = []
        self._node = OnnxNode("", "", (), (), {})

    def constant(self, name: str) -> npt.NDArray[Any] | None:
        """The value of a constant, None for a computed tensor.

        Raises ConsequenceError for one that follows from shapes which are not known.
        """
        if name in self._unknown_values:
            raise unknown(f"the value of '{name}'")
        tensor = self._initializers.get(name)
        return None if tensor is None else read_constant(tensor)

    def required(self, name: str, role: str) -> npt.NDArray[Any]:
        """The value of an input that has to be constant. Raises UnsupportedNodeError, naming its role."""
        value = self.constant(name)
        if value is None:
            raise UnsupportedNodeError(f"{role} ('{name}') is not a constant")
        return value

    def numbers(self, name: str, role: str, *, infinite: bool = False) -> FloatArray:
        """The finite values of a constant; infinite ones too if they are allowed.

        Raises UnsupportedNodeError, naming role and constant, where there are others, or none at all.
        """
        value = self.required(name, role)
        if value.dtype.kind not in "fiub" and value.dtype.name not in ("int4", "uint4"):
            raise UnsupportedNodeError(f"{role} ('{name}') holds {value.dtype} values", FLOAT_TENSORS)
        if value.size == 0:
            raise UnsupportedNodeError(f"{role} ('{name}') is empty: its shape is {value.shape}")
        numbers: FloatArray = value.astype(np.float64)
        if np.isnan(numbers).any() or not (infinite or np.isfinite(numbers).all()):
            raise UnsupportedNodeError(f"{role} ('{name}') holds NaN or infinite values", "finite constants")
        return numbers

    def weights(self, name: str, role: str) -> Reals:
        """The finite values of a constant; many of float32 are as they are stored, so nothing is copied.

        Raises UnsupportedNodeError as `numbers` does.
        """
        value = self.required(name, role)
        if value.dtype != np.float32 or value.size < LARGE:
            return self.numbers(name, role)
        if not all(np.isfinite(value[rows]).all() for rows in row_blocks(value.shape)):
            raise UnsupportedNodeError(f"{role} ('{name}') holds NaN or infinite values", "finite constants")
        return value

    def number(self, name: str) -> float:
        """The only value of a constant operand, which may be infinite.

        Raises UnsupportedNodeError where the constant has several values.
        """
        value = self.numbers(name, "an operand", infinite=True)
        if value.size != 1:
            raise UnsupportedNodeError(f"the constant '{name}' is of shape {value.shape}, not one number")
        return float(value.item())

    def tensor(self, name: str) -> str:
        """The float graph's name of a computed tensor. Raises UnsupportedNodeError for a constant."""
        if name in self._unknown_values:
            raise unknown(f"the value of '{name}'")
        if name not in self._tensors:
            raise UnsupportedNodeError(f"'{name}' is a constant where a computed tensor is expected")
        return self._tensors[name]

    def origin(self, name: str) -> OnnxNode | None:
        """The ONNX node that computes a tensor; None for inputs and constants."""
        if name not in self._known_origins:
            proto = self._origins.get(name)
            known = None if proto is None or proto.domain not in STANDARD else _as_node(proto)
            self._known_origins[name] = known
        return self._known_origins[name]

    def reading(self, name: str) -> tuple[OnnxNode, ...]:
        """The ONNX nodes that read a tensor; none where the graph puts it out, or another domain reads it."""
        protos = self._reading[name]
        if name in self._outputs_of_graph or any(proto.domain not in STANDARD for proto in protos):
            return ()
        return tuple(map(_as_node, protos))

    def is_only_stated(self, name: str) -> bool:
        """Whether a tensor is an output whose values a statement has, and nothing in the model reads it."""
        return name in self._outputs_of_graph - self._hidden and not self._reading[name]

    def is_input(self, name: str) -> bool:
        """Whether a tensor is an input of the model."""
        return name in self._inputs

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
        """The shape of an ONNX tensor, or of one of the float graph.

        Raises ConsequenceError where shape inference could not tell it.
        """
        if name in self._initializers:
            return tuple(self._initializers[name].dims)
        if name not in self._shapes:
            raise unknown(f"the shape of '{name}'")
        return self._shapes[name]

    def spatial(self, name: str) -> Shape:
        """The axes after batch and channels. Raises UnsupportedNodeError unless there are one to three."""
        shape = self.shape(name)
        if not 3 <= len(shape) <= 5:
            raise UnsupportedNodeError(f"its input has the shape {shape}; windows have one to three axes")
        return shape[2:]

    def producer(self, tensor: str) -> FloatOperator | None:
        """The node that computes a tensor of the float graph; None for an input."""
        return self._producers.get(tensor)

    def reads_as_index(self, tensor: str, size: int) -> None:
        """Says that a tensor has indices of an axis of this size. An input of such indices has no others."""
        self.reads_within(tensor, -size, size - 1)

    def reads_within(self, tensor: str, least: int, largest: int) -> None:
        """Says that a tensor has integers from ``least`` to ``largest``. An input of such has no others."""
        while (node := self._producers.get(tensor)) is not None:
            if len(node.inputs) > 1 or not node.is_affine or node.as_linear() or node.elementwise:
                return
            tensor = node.input
        low, high = self.index_ranges.get(tensor, (least, largest))
        self.index_ranges[tensor] = max(low, least), min(high, largest)

    def warn(self, cause: Cause, message: str, remedy: str) -> None:
        """Adds a warning about the node that is being rewritten; ``message`` follows its name."""
        name = self._node.name
        message = f"{self._node.operator} '{name}': {message}"
        self.warnings.append(AccuracyWarning(name, cause, message, remedy))

    def readers(self, tensor: str) -> int:
        """How often nodes read a tensor, or the graph puts it out."""
        return self._readers[tensor]

    def add(
        self,
        kind: Callable[Concatenate[str, tuple[str, ...], str, P], FloatOperator],
        inputs: str | tuple[str, ...],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> str:
        """Adds a float node that reads tensors of the float graph, and returns the new tensor.

        ``kind`` is the node's class, ``args`` are what it has beside name, inputs and output.
        """
        reads = (inputs,) if isinstance(inputs, str) else inputs
        return self.add_node(kind(self._node.name, reads, "", *args, **kwargs))

    def add_node(self, node: FloatOperator) -> str:
        """Adds a float node under a new output, and returns that tensor; the node keeps its name."""
        node = replace(node, output=self._new_name())
        if all(name in self._shapes for name in node.inputs):
            self._shapes[node.output] = node.output_shape([self._shapes[name] for name in node.inputs])
        self._readers[node.output] = 1
        self._producers[node.output] = node
        self.nodes.append(node)
        return node.output

    def rewrite(
        self,
        node: OnnxNode,
        rule: Callable[[OnnxNode, "GraphBuilder"], str | tuple[str, ...] | None],
        types: tuple[int, ...] = FLOAT_TYPES,
    ) -> tuple[FloatOperator, ...]:
        """Adds what a rule makes of an ONNX node: its float nodes, or other names of tensors.

        Raises UnsupportedNodeError where the rule does, or gives None: the node is of another form.
        Otherwise outputs must have elements of one of the ``types``, and the shapes that the standard says.
        Weights must be finite. If not, the same error is raised, but the float nodes stay known, so that what
        reads them is checked.
        """
        self._node, first = node, len(self.nodes)
        try:
            tensors = self._outputs(node, rule(node, self))
        except UnsupportedNodeError:
            del self.nodes[first:]
            raise
        added = {new.output for new in self.nodes[first:]}
        shapes = list[tuple[str, Shape | None, Shape | None]]()
        renamed = dict[str, str]()
        for output, tensor in zip(node.outputs, tensors, strict=False):
            if tensor not in added or tensor in renamed:
                self._tensors[output] = renamed.get(tensor, tensor)
                self._readers[self._tensors[output]] += self._readers[output] - 1
            elif output:
                shapes.append((output, self._shapes.get(output), self._shapes.get(tensor)))
                self._rename(tensor, output, first)
                renamed[tensor] = output
        for output, stated, inferred in shapes:
            self._check_type(output, types)
            self._check_shape(output, stated, inferred)
        if not shapes:
            return ()
        self._check_weights(self.nodes[first:])
        return tuple(self.nodes[first:])

    def _outputs(self, node: OnnxNode, result: str | tuple[str, ...] | None) -> tuple[str, ...]:
        """The tensors of a node's first outputs. Raises UnsupportedNodeError where one that is read lacks."""
        if result is None:
            computed = [name for name in node.inputs if not self.is_constant(name)]
            raise UnsupportedNodeError(
                f"its operands {computed} are computed, and no rule is for that form", advice=CUT
            )
        tensors = (result,) if isinstance(result, str) else result
        lacking = [name for name in node.outputs[len(tensors) :] if name and self._readers[name]]
        if lacking:
            raise UnsupportedNodeError(
                f"its further outputs {lacking} are used", f"{node.operator} without these outputs"
            )
        return tensors

    def add_unmapped(self, outputs: Iterable[str]) -> None:
        """Lets tensors be known whose node cannot be mapped."""
        for name in filter(None, outputs):
            self._tensors[name] = name

    def add_unknown_values(self, outputs: Iterable[str]) -> None:
        """Lets tensors be known that follow from shapes which are not known."""
        self._unknown_values.update(filter(None, outputs))

    def _new_name(self) -> str:
        output, count = self._node.output, 0
        while (name := f"{output}/{count}") in self._names:
            count += 1
        self._names.add(name)
        return name

    def _rename(self, tensor: str, output: str, first: int) -> None:
        """Gives a tensor the name of an ONNX output, in the nodes from the one numbered ``first`` on."""
        self._names.discard(tensor)
        self._producers.pop(tensor)
        if (shape := self._shapes.pop(tensor, None)) is not None:
            self._shapes[output] = shape
        for index, node in enumerate(self.nodes[first:], first):
            inputs = tuple(output if name == tensor else name for name in node.inputs)
            renamed = replace(node, inputs=inputs, output=output if node.output == tensor else node.output)
            self.nodes[index] = self._producers[renamed.output] = renamed
        self._tensors[output] = output

    def _check_type(self, output: str, types: tuple[int, ...]) -> None:
        kind = self.type(output)
        if kind == onnx.TensorProto.UNDEFINED:
            raise unknown(f"the type of '{output}'")
        if kind not in types:
            raise UnsupportedNodeError(
                f"it computes {type_name(kind)} values",
                FLOAT_TENSORS,
                "export the model with float32 tensors",
            )

    def _check_shape(self, output: str, stated: Shape | None, inferred: Shape | None) -> None:
        shape = self.shape(output)
        if stated is not None and inferred is not None and stated != inferred:
            # A rule that gives another shape knows of no broadcasting.
            raise UnsupportedNodeError(f"it broadcasts {inferred} to {stated}")
        if 0 in shape:
            inputs = self._producers[output].inputs
            follows = any(0 in self._shapes.get(name, ()) for name in inputs)
            error = ConsequenceError if follows else UnsupportedNodeError
            raise error(f"it computes no values: its output has the shape {shape}")

    @staticmethod
    def _check_weights(nodes: Iterable[FloatOperator]) -> None:
        for node in nodes:
            if not node.is_finite:
                raise UnsupportedNodeError("its weights become infinite or NaN", "finite constants")


def _as_node(proto: onnx.NodeProto) -> OnnxNode:
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}
    return OnnxNode(proto.op_type, proto.name, tuple(proto.input), tuple(proto.output), attributes)
