"""Masks of scores: constants that are added to scores before a softmax, or take their place.

A position with -infinity, or with less than -100, is left out. No score of such a position would count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rules.matching import COPIES

LEFT_OUT = -100.0
"""What is added at most, where a position is left out."""

SOFTMAX = "Softmax"


@dataclass(frozen=True)
class MaskedScores:
    """Scores, a mask of 0 and 1 with 1 for what is left out, and what is added to the others.

    Mask and constant broadcast to the shape of all three.
    """

    scores: str
    mask: FloatArray
    added: FloatArray


def read_mask(graph: GraphBuilder, node: OnnxNode) -> MaskedScores | None:
    """What a node does to scores, if it masks some of them and only a softmax reads the result."""
    masked = _read(graph, node)
    if masked is None or not masked.mask.any() or masked.mask.all():
        return None
    return masked if _only_softmax_reads(graph, node.output) else None


def scores_before(graph: GraphBuilder, name: str) -> MaskedScores | None:
    """The scores that nodes before a tensor mask, with all that these leave out or add; None without any."""
    result: MaskedScores | None = None
    while (node := graph.origin(name)) is not None:
        masked = read_mask(graph, node)
        if masked is not None:
            name = masked.scores
            mask, constant = (0.0, 0.0) if result is None else (result.mask, result.added)
            result = MaskedScores(name, np.maximum(mask, masked.mask), constant + masked.added)
        elif node.operator in COPIES:
            name = node.input(0)
        else:
            break
    return result


def _read(graph: GraphBuilder, node: OnnxNode) -> MaskedScores | None:
    if node.operator == "Where" and graph.is_constant(node.input(0)):
        return _chosen(graph, node)
    if node.operator not in ("Add", "Sub") or sum(map(graph.is_constant, node.inputs)) != 1:
        return None
    first, second = node.inputs
    if graph.is_constant(second):
        sign = 1.0 if node.operator == "Add" else -1.0
        return _added(first, sign * graph.numbers(second, "the right operand", infinite=True))
    return (
        _added(second, graph.numbers(first, "the left operand", infinite=True))
        if node.operator == "Add"
        else None
    )


def _added(scores: str, constant: FloatArray) -> MaskedScores | None:
    if np.isposinf(constant).any():
        return None
    mask = constant <= LEFT_OUT
    return MaskedScores(scores, mask.astype(np.float64), np.where(mask, 0.0, constant))


def _chosen(graph: GraphBuilder, node: OnnxNode) -> MaskedScores | None:
    """A constant that is -100 at most takes the place of scores, by a constant condition."""
    condition = graph.numbers(node.input(0), "the condition") != 0
    for scores, constant, where in ((1, 2, ~condition), (2, 1, condition)):
        if graph.is_constant(node.input(constant)) and not graph.is_constant(node.input(scores)):
            values = graph.numbers(node.input(constant), "a branch", infinite=True)
            chosen = np.where(where, values, -np.inf)
            if (chosen > LEFT_OUT).any():
                return None
            mask = np.broadcast_to(where, chosen.shape).astype(np.float64)
            return MaskedScores(node.input(scores), mask, np.zeros(()))
    return None


def _only_softmax_reads(graph: GraphBuilder, name: str) -> bool:
    readers = graph.reading(name)
    return bool(readers) and all(
        reader.operator == SOFTMAX
        or (
            (reader.operator in COPIES or _read(graph, reader) is not None)
            and _only_softmax_reads(graph, reader.output)
        )
        for reader in readers
    )
