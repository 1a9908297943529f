"""Masked scores: the softmax that reads them masks them. Nothing else may, so here they stay as they are.

Where(IsNaN(p), 0, p) is p where that is finite. The softmax of a row where nothing counts may be no number.
"""

import numpy as np

from deepprove_dist.importing.rewriting.broadcasting import broadcast_shape, broadcast_to
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import ALL_TYPES, NUMBER_TYPES
from deepprove_dist.importing.rules.choices_by_bits import find_choice
from deepprove_dist.importing.rules.masked_rows import counting_rows
from deepprove_dist.importing.rules.masks import (
    SOFTMAX,
    MaskedScores,
    only_masks_read,
    read_mask,
    scores_before,
)
from deepprove_dist.importing.rules.matching import origin, same
from deepprove_dist.operators.select import FloatSelect


def _unmasked(node: OnnxNode, graph: GraphBuilder) -> str | None:
    masked = read_mask(graph, node)
    if masked is None:
        return None
    shape = broadcast_shape([graph.shape(masked.scores), masked.mask.shape])
    return broadcast_to(graph, graph.tensor(masked.scores), shape)


def _guarded(node: OnnxNode, graph: GraphBuilder) -> str | None:
    """A branch for what is not a number, which no value is."""
    test = origin(graph, node.input(0), "IsNaN")
    if test is None or graph.is_constant(node.input(2)) or not same(graph, test.input(0), node.input(2)):
        return None
    shape = broadcast_shape(map(graph.shape, node.inputs))
    results = broadcast_to(graph, graph.tensor(node.input(2)), shape)
    masked = _undefined_scores(graph, test.input(0))
    if masked is None:
        return results
    if not graph.is_constant(node.input(1)):
        return None
    counting = broadcast_to(graph, counting_rows(graph, masked), shape)
    return graph.add(FloatSelect, (counting, results), None, graph.number(node.input(1)))


def _undefined_scores(graph: GraphBuilder, name: str) -> MaskedScores | None:
    """The scores before a softmax that is not a number where no score of a row counts; None for others."""
    softmax = origin(graph, name, SOFTMAX)
    masked = None if softmax is None else scores_before(graph, softmax.input(0))
    return masked if masked is not None and any(part.undefined for part in masked.computed) else None


def _of_masks_alone(node: OnnxNode, graph: GraphBuilder) -> str | None:
    """Infinite numbers that a bit decides have no value of their own: what reads them reads the bit."""
    choice = find_choice(graph, node.output)
    if choice is None or not np.isinf([choice.when_0.min(), choice.when_1.min()]).any():
        return None
    return graph.tensor(choice.bit) if only_masks_read(graph, node.output) else None


def _sum(node: OnnxNode, graph: GraphBuilder) -> str | None:
    return _unmasked(node, graph) or _of_masks_alone(node, graph)


def _where(node: OnnxNode, graph: GraphBuilder) -> str | None:
    return _unmasked(node, graph) or _guarded(node, graph) or _of_masks_alone(node, graph)


_WHAT = "of scores and a mask, before Softmax"
RULES = (
    Rule("Add", _WHAT, _sum, types=NUMBER_TYPES),
    Rule("Sub", _WHAT, _sum, types=NUMBER_TYPES),
    Rule("Where", _WHAT, _where, types=ALL_TYPES, since=9),
)
