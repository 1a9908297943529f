"""Softmax and the averages by it as one node of attention, where rows are long."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from deepprove_dist.importing.regrouping.graph_edit import GraphEdit
from deepprove_dist.operators.float_attention import FloatAttention
from deepprove_dist.operators.float_contraction import FloatContraction
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.softmax import FloatSoftmax

LEAST_KEYS = 128
"""Fewer weights than these lose little when they are rounded, and cost as much."""


def join_averages(graph: FloatGraph, reserved: Set[str]) -> FloatGraph:
    """The graph with a node of attention for each softmax of many scores that only averages are made by.

    `reserved` are names that no new tensor may have.
    """
    edit = GraphEdit(graph, reserved)
    for softmax in graph.nodes:
        if isinstance(softmax, FloatSoftmax) and softmax.size >= LEAST_KEYS:
            _join(edit, softmax)
    return edit.result()


def _join(edit: GraphEdit, softmax: FloatSoftmax) -> None:
    readers = edit.readers(softmax.output) or ()
    average = readers[0] if len(readers) == 1 else None
    if not isinstance(average, FloatContraction) or len(average.contracted) != 1:
        return
    turned = replace(average, inputs=average.inputs[::-1], left=average.right, right=average.left)
    for node in (average, turned):
        if node.inputs[0] == softmax.output != node.inputs[1] and node.left[-1] == node.outputs:
            inputs = (*softmax.inputs, node.inputs[1])
            joined = FloatAttention(
                node.name, inputs, node.output, softmax, node.left, node.right, node.outputs
            )
            edit.replace([softmax, average], [joined], at=average)
            return
