"""A float graph whose nodes are replaced by others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import count
from typing import TypeVar

from deepprove_dist.arrays import Shape
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.float_operator import FloatOperator

Operator = TypeVar("Operator", bound=FloatOperator)


class GraphEdit:
    """The nodes of a graph by the tensors that they read and write, and nodes to replace some of them.

    Attributes:
        graph: as it was.
    """

    def __init__(self, graph: FloatGraph, reserved: Set[str]) -> None:
        """`reserved` are names that no new tensor may have."""
        self.graph = graph
        self._names = set(reserved | graph.shapes.keys())
        self._shapes = dict(graph.shapes)
        self._readers = defaultdict[str, list[FloatOperator]](list)
        for node in graph.nodes:
            for name in dict.fromkeys(node.inputs):
                self._readers[name].append(node)
        self._writers = {node.output: node for node in graph.nodes}
        self._public = set(graph.outputs.values())
        self._dropped = set[str]()
        self._new = dict[str, Sequence[FloatOperator]]()

    def shape(self, name: str) -> Shape:
        """The shape of a tensor, old or new."""
        return self._shapes[name]

    def writer(self, name: str) -> FloatOperator | None:
        """The node that computes a tensor of the graph; None of an input."""
        return self._writers.get(name)

    def readers(self, name: str) -> Sequence[FloatOperator] | None:
        """The nodes that read a tensor of the graph; None where it is an output, or its writer is dropped."""
        return None if name in self._public or name in self._dropped else self._readers[name]

    def make(self, node: Operator, output: str | None = None) -> Operator:
        """A node, for `replace`, that writes `output`, or a new tensor named like the one it writes."""
        if output is None:
            numbered = (f"{node.output}/{number}" for number in count())
            output = next(name for name in numbered if name not in self._names)
            self._names.add(output)
        self._shapes[output] = node.output_shape([self._shapes[name] for name in node.inputs])
        return replace(node, output=output)

    def replace(
        self, dropped: Sequence[FloatOperator], nodes: Sequence[FloatOperator], at: FloatOperator
    ) -> None:
        """`nodes` in place of the `dropped` ones, all of them where the one called `at` was."""
        self._dropped |= {node.output for node in dropped}
        self._new[at.output] = nodes

    def result(self) -> FloatGraph:
        """The graph with all replacements."""
        nodes = [
            node
            for old in self.graph.nodes
            for node in self._new.get(old.output, () if old.output in self._dropped else (old,))
        ]
        kept = {*self.graph.inputs, *(node.output for node in nodes)}
        shapes = {name: shape for name, shape in self._shapes.items() if name in kept}
        return replace(self.graph, nodes=tuple(nodes), shapes=shapes)
