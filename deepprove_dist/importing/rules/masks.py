"""Masks of scores: numbers that are added to scores before a softmax, or take their place.

A position with -infinity, or with less than -100, is left out. No score of such a position would count. Masks
are constants, or bits of the model's inputs decide what they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rules.choices_by_bits import ChoiceByBit, find_choice
from deepprove_dist.importing.rules.matching import COPIES

LEFT_OUT = -100.0
"""What is added at most, where a position is left out."""

EQUAL = -1e7
"""What is added at most, where scores that are left out become the same in float32."""

SOFTMAX = "Softmax"


@dataclass(frozen=True)
class LeftOutByBit:
    """``choice``: 1 where a score is left out, else 0.

    In a row where nothing counts, softmax is that of the scores if they are only ``lowered``. Else all
    are equal. It is ``undefined`` if they are -infinity.
    """

    choice: ChoiceByBit
    lowered: bool
    undefined: bool


@dataclass(frozen=True)
class MaskedScores:
    """Scores, a mask of 0 and 1 with 1 for what is left out, and what is added to the others.

    Mask and constant broadcast to the shape of all three. So do masks that bits decide, in ``computed``.
    """

    scores: str
    mask: FloatArray
    added: FloatArray
    computed: tuple[LeftOutByBit, ...] = ()


def read_mask(graph: GraphBuilder, node: OnnxNode) -> MaskedScores | None:
    """What a node does to scores, if it masks some of them and only a softmax reads the result."""
    masked = _read(graph, node)
    if masked is None or masked.mask.all() or not (masked.mask.any() or masked.computed):
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
            computed = masked.computed + (() if result is None else result.computed)
            result = MaskedScores(name, np.maximum(mask, masked.mask), constant + masked.added, computed)
        elif node.operator in COPIES:
            name = node.input(0)
        else:
            break
    return result


def _read(graph: GraphBuilder, node: OnnxNode) -> MaskedScores | None:
    if node.operator == "Where":
        return _chosen(graph, node) if graph.is_constant(node.input(0)) else _chosen_by_bit(graph, node)
    if node.operator not in ("Add", "Sub") or all(map(graph.is_constant, node.inputs)):
        return None
    first, second = node.inputs
    sign = 1.0 if node.operator == "Add" else -1.0
    if graph.is_constant(second):
        return _added(first, sign * graph.numbers(second, "the right operand", infinite=True))
    if graph.is_constant(first):
        values = graph.numbers(first, "the left operand", infinite=True)
        return _added(second, values) if node.operator == "Add" else None
    masked = _added_by_bit(graph, first, second, sign)
    return masked or (_added_by_bit(graph, second, first, sign) if node.operator == "Add" else None)


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


def _added_by_bit(graph: GraphBuilder, scores: str, mask: str, sign: float) -> MaskedScores | None:
    """Numbers that a bit decides are added to scores, which no bit decides."""
    choice = find_choice(graph, mask)
    if choice is None or find_choice(graph, scores) is not None:
        return None
    first, second = (
        sign * np.broadcast_to(values, graph.shape(mask)) for values in (choice.when_0, choice.when_1)
    )
    return _by_bit(scores, choice.bit, first, second, lowered=True)


def _chosen_by_bit(graph: GraphBuilder, node: OnnxNode) -> MaskedScores | None:
    """One number that is -100 at most takes the place of scores, by a condition that a bit decides."""
    choice = find_choice(graph, node.input(0))
    constants = [graph.is_constant(name) for name in node.inputs[1:]]
    if choice is None or sum(constants) != 1:
        return None
    index = 1 + constants.index(True)
    number = graph.numbers(node.input(index), "a branch", infinite=True)
    if number.size != 1 or find_choice(graph, node.input(3 - index)) is not None:
        return None
    first, second = (
        np.where((values != 0) == (index == 1), number.item(), 0.0)
        for values in (choice.when_0, choice.when_1)
    )
    return _by_bit(node.input(3 - index), choice.bit, first, second, lowered=False)


def _by_bit(
    scores: str, bit: str, first: FloatArray, second: FloatArray, *, lowered: bool
) -> MaskedScores | None:
    """What is added to scores where a bit is 0, and where it is 1; -100 at most leaves out."""
    left, right = first <= LEFT_OUT, second <= LEFT_OUT
    masked = np.concatenate([first[left], second[right]])
    same = (first == second) | left | right
    if not masked.size or not same.all() or np.isposinf([first.max(), second.max()]).any():
        return None
    added = np.where(left, np.where(right, 0.0, second), first)
    choice = ChoiceByBit(bit, left.astype(np.float64), right.astype(np.float64))
    part = LeftOutByBit(choice, lowered and bool(masked.min() > EQUAL), bool(np.isneginf(masked).any()))
    return MaskedScores(scores, np.zeros(first.shape), added, (part,))


def _only_softmax_reads(graph: GraphBuilder, name: str) -> bool:
    waiting = [name]
    while waiting:
        readers = graph.reading(waiting.pop())
        others = [reader for reader in readers if reader.operator != SOFTMAX]
        if not readers or not all(node.operator in COPIES or _read(graph, node) for node in others):
            return False
        waiting += [reader.output for reader in others]
    return True


def only_masks_read(graph: GraphBuilder, name: str) -> bool:
    """Whether what reads a tensor that a bit decides adds it to scores, or is of that bit alone too."""
    waiting = [name]
    while waiting:
        readers = graph.reading(waiting.pop())
        others = [reader for reader in readers if read_mask(graph, reader) is None]
        if not readers or any(find_choice(graph, reader.output) is None for reader in others):
            return False
        waiting += [reader.output for reader in others]
    return True
