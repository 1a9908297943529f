"""Float nodes that go into their neighbours: numbers that scale a layer's output, zeros around its input."""

from collections.abc import Sequence
from dataclasses import replace

from deepprove_dist.importing.affine import layer_before
from deepprove_dist.importing.builder import GraphBuilder
from deepprove_dist.operators.conv import FloatConv
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.pad import FloatPad
from deepprove_dist.operators.requantise import FloatActivation


def simplify(nodes: Sequence[FloatOperator], graph: GraphBuilder) -> list[FloatOperator]:
    """The nodes with such neighbours folded in; what they replace may be left without a reader."""
    return [_simplified(node, graph) for node in nodes]


def _simplified(node: FloatOperator, graph: GraphBuilder) -> FloatOperator:
    if isinstance(node, FloatActivation):
        return layer_before(graph, node.output) or node
    if isinstance(node, FloatConv) and isinstance(padding := graph.producer(node.input), FloatPad):
        rank = node.window.rank
        lead, behind = padding.pads[:2], padding.pads[2 + rank : 4 + rank]
        if not any(lead) and not any(behind):
            extra = (*padding.pads[2 : 2 + rank], *padding.pads[4 + rank :])
            pads = tuple(sum(pair) for pair in zip(node.window.pads, extra, strict=True))
            return replace(node, inputs=padding.inputs, window=replace(node.window, pads=pads))
    return node
