"""What is known where nodes are expanded: constants, shapes, and names that are taken."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.rewriting.onnx_graph import static_shapes
from deepprove_dist.importing.rewriting.standard import STANDARD
from deepprove_dist.importing.rewriting.stored_constants import read_constant

# Nodes that one model may be written out to.
MOST_NODES = 20_000


Expand = Callable[[onnx.NodeProto, "Scope"], list[onnx.NodeProto] | None]
Evaluate = Callable[
    [onnx.NodeProto, Mapping[str, npt.NDArray[Any]], Mapping[str, Shape], onnx.ModelProto],
    dict[str, npt.NDArray[Any]] | None,
]


@dataclass
class Scope:
    """A graph whose nodes are expanded. New constants are collected in ``constants``.

    In ``stated`` are types and shapes of new tensors that inference does not know.

    ``expand`` gives the nodes that compute what a node does. ``evaluate`` gives its outputs, if they are
    constant. Both give None where that is not known.
    """

    model: onnx.ModelProto
    expand: Expand
    evaluate: Evaluate
    known: dict[str, npt.NDArray[Any]]
    shapes: dict[str, Shape]
    types: dict[str, int]
    names: set[str]
    constants: list[onnx.TensorProto] = field(default_factory=list)
    stated: list[onnx.ValueInfoProto] = field(default_factory=list)
    room: int = field(default_factory=lambda: MOST_NODES)

    @classmethod
    def of(
        cls,
        model: onnx.ModelProto,
        known: Mapping[str, npt.NDArray[Any]],
        expand: Expand,
        evaluate: Evaluate,
    ) -> "Scope":
        """That of a model's main graph, with its constants."""
        names, types = set(_names(model.graph)), _types(model.graph)
        return cls(model, expand, evaluate, dict(known), dict(static_shapes(model)), types, names)

    def fresh(self, name: str) -> str:
        """A name that no tensor has, after ``name``."""
        result, count = name, 1
        while result in self.names:
            count += 1
            result = f"{name} {count}"
        self.names.add(result)
        return result

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """A new constant."""
        name = self.fresh(name)
        self._add(name, value)
        return name

    @property
    def opset(self) -> int:
        """The version of the standard that the model is of."""
        versions = (opset.version for opset in self.model.opset_import if opset.domain in STANDARD)
        return max(versions, default=onnx.defs.onnx_opset_version())

    def information(self, tensor: str) -> onnx.ValueInfoProto | None:
        """Type and shape of a tensor; None where either is not known."""
        if tensor in self.known:
            value = self.known[tensor]
            kind = helper.np_dtype_to_tensor_dtype(value.dtype)
            return helper.make_tensor_value_info(tensor, kind, value.shape)
        if tensor not in self.shapes or not self.types.get(tensor):
            return None
        return helper.make_tensor_value_info(tensor, self.types[tensor], self.shapes[tensor])

    def state(self, tensor: str, kind: int, shape: Shape) -> None:
        """States type and shape of a new tensor that ONNX's inference does not know."""
        self.stated.append(helper.make_tensor_value_info(tensor, kind, shape))

    def is_used(self, tensor: str) -> bool:
        """Whether a tensor of the main graph is read, or is an output."""
        graph = self.model.graph
        return any(tensor in node.input for node in graph.node) or any(
            tensor == value.name for value in graph.output
        )

    def simplified(self, nodes: Iterable[onnx.NodeProto]) -> list[onnx.NodeProto]:
        """The nodes that are not constant, where those that hold graphs are written out if they can be.

        Constants become known to this scope.
        """
        kept = []
        for node in nodes:
            values = self.evaluate(node, self.known, self.shapes, self.model)
            if values is not None:
                for name, value in values.items():
                    self._add(name, value)
            elif (expanded := self.expand(node, self)) is not None:
                kept += expanded
            else:
                kept.append(node)
        return kept

    def _add(self, name: str, value: npt.NDArray[Any]) -> None:
        self.known[name] = value
        self.constants.append(numpy_helper.from_array(value, name))

    def instantiate(
        self, graph: onnx.GraphProto, arguments: Iterable[str], prefix: str
    ) -> tuple[list[onnx.NodeProto], list[str]]:
        """A copy of a subgraph's nodes that reads ``arguments`` as its inputs, and its outputs.

        All that it computes has a new name.
        """
        names = {value.name: argument for value, argument in zip(graph.input, arguments, strict=True)}
        for tensor in graph.initializer:
            names[tensor.name] = self.constant(f"{prefix}/{tensor.name}", read_constant(tensor))
        for node in graph.node:
            names |= {name: self.fresh(f"{prefix}/{name}") for name in node.output if name}
        nodes = []
        for node in graph.node:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            label = node.name or f"{node.op_type} of {', '.join(filter(None, node.output))}"
            copy.name = f"{prefix}/{label}"
            _rename(copy, names)
            copy.output[:] = [names.get(name, name) for name in copy.output]
            nodes.append(copy)
        self.room -= len(nodes)
        return nodes, [names.get(value.name, value.name) for value in graph.output]


def attribute_graph(node: onnx.NodeProto, name: str) -> onnx.GraphProto | None:
    """A subgraph of a node; None where it has none, or one that holds sparse tensors."""
    graphs = [attribute.g for attribute in node.attribute if attribute.name == name]
    return graphs[0] if graphs and not graphs[0].sparse_initializer else None


def _rename(node: onnx.NodeProto, names: Mapping[str, str]) -> None:
    """Renames what a node reads, also in its subgraphs."""
    node.input[:] = [names.get(name, name) for name in node.input]
    for attribute in node.attribute:
        for graph in _graphs(attribute):
            inner = {value.name for value in (*graph.input, *graph.initializer)}
            inner.update(name for other in graph.node for name in other.output)
            outer = {name: new for name, new in names.items() if name not in inner}
            for other in graph.node:
                _rename(other, outer)
            for value in graph.output:
                value.name = outer.get(value.name, value.name)


def _types(graph: onnx.GraphProto) -> dict[str, int]:
    values = (*graph.input, *graph.value_info, *graph.output)
    return {value.name: value.type.tensor_type.elem_type for value in values}


def _names(graph: onnx.GraphProto) -> Iterator[str]:
    """Names of all tensors of a graph and of those inside it."""
    yield from (value.name for value in (*graph.input, *graph.output, *graph.initializer))
    for node in graph.node:
        yield from (*node.input, *node.output)
        for attribute in node.attribute:
            for inner in _graphs(attribute):
                yield from _names(inner)


def _graphs(attribute: onnx.AttributeProto) -> Iterator[onnx.GraphProto]:
    if attribute.HasField("g"):
        yield attribute.g
    yield from attribute.graphs
