"""What an affine part of the float graph computes from the tensors before it, as a matrix.

A scaler, a choice of columns or a concatenation before a comparison need no tensors. The matrix goes into
what is compared, and comparisons are of the model's inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.operators.concat import FloatConcat
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.reshape import FloatReshape

# Elements of tensors before, and of both, beyond which a tensor is taken as it is.
MOST_ELEMENTS = 2**16
MOST_WEIGHTS = 2**24


@dataclass(frozen=True)
class AffineSource:
    """A flat tensor [N] is matrix [N, K] times the values of ``tensor`` [1, K], plus ``shift`` [N].

    Without a matrix it is the tensor itself.
    """

    tensor: str
    matrix: FloatArray | None
    shift: FloatArray

    def rows(self, rows: FloatArray) -> FloatArray:
        """Rows [M, N] of weights of the flat tensor, as weights [M, K] of ``tensor``."""
        return rows if self.matrix is None else rows @ self.matrix


def affine_source(graph: GraphBuilder, tensor: str) -> AffineSource:
    """What a tensor of the float graph is an affine function of; at worst itself."""
    nodes, sources = _part(graph, tensor)
    sizes = [prod(graph.shape(name)) for name in sources]
    if not nodes:
        return AffineSource(_flat(graph, [tensor]), None, np.zeros(prod(graph.shape(tensor))))
    zeros = {name: np.zeros(graph.shape(name)) for name in sources}
    shift = _evaluate(nodes, zeros, tensor)
    columns = []
    for name, count in zip(sources, sizes, strict=True):
        for index in range(count):
            unit = np.zeros(count)
            unit[index] = 1.0
            columns.append(_evaluate(nodes, {**zeros, name: unit.reshape(graph.shape(name))}, tensor) - shift)
    return AffineSource(_flat(graph, sources), np.stack(columns, axis=1), shift)


def find_sources(graph: GraphBuilder, tensor: str) -> list[str]:
    """The tensors that a tensor is an affine function of."""
    return _part(graph, tensor)[1]


def _part(graph: GraphBuilder, tensor: str) -> tuple[list[FloatOperator], list[str]]:
    """The affine nodes that a tensor depends on, in topological order, and what they read from outside.

    No nodes, and the tensor itself, where these are too large.
    """
    nodes, sources = dict[str, FloatOperator](), dict[str, None]()
    todo = [tensor]
    while todo:
        name = todo.pop()
        node = graph.producer(name)
        if node is None or not node.is_affine:
            sources[name] = None
        elif name not in nodes:
            nodes[name] = node
            todo += node.inputs
    ordered = [node for node in graph.nodes if node.output in nodes]
    size = sum(prod(graph.shape(name)) for name in sources)
    if size > MOST_ELEMENTS or size * prod(graph.shape(tensor)) > MOST_WEIGHTS:
        return [], [tensor]
    return ordered, sorted(sources)


def _evaluate(nodes: list[FloatOperator], values: Mapping[str, FloatArray], tensor: str) -> FloatArray:
    known = dict(values)
    for node in nodes:
        known[node.output] = node.evaluate([known[name] for name in node.inputs])
    flat: FloatArray = known[tensor].ravel()
    return flat


def _flat(graph: GraphBuilder, tensors: list[str]) -> str:
    """The tensors as one of shape [1, K]."""
    rows = []
    for name in tensors:
        shape = (1, prod(graph.shape(name)))
        rows.append(name if graph.shape(name) == shape else graph.add(FloatReshape, name, shape))
    return rows[0] if len(rows) == 1 else graph.add(FloatConcat, tuple(rows), 1)
