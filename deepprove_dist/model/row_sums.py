"""What rows along the last axis of a tensor add up to at most: read off the nodes that compute it."""

from __future__ import annotations

from collections.abc import Mapping

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.reshape import Reshape
from deepprove_dist.operators.softmax import Softmax, largest_row_sum
from deepprove_dist.operators.transpose import Transpose
from deepprove_dist.operators.weighted_average import WeightedAverage


def require_row_sum(node: Node, producers: Mapping[str, Node], shapes: Mapping[str, Shape]) -> None:
    """Requires of a node that averages that its weights add up to what it states. Raises ModelError.

    ``producers``: the nodes before it, by their outputs.
    """
    if node.operator != WeightedAverage.name:
        return
    known = _row_sum(node.inputs[0], producers, shapes)
    if known is None or known > integer(node, "row_sum"):
        raise ModelError(f"'{node.name}': nothing says that rows of '{node.inputs[0]}' add up to so little")


def _row_sum(name: str, producers: Mapping[str, Node], shapes: Mapping[str, Shape]) -> int | None:
    """What rows add up to at most, none of them negative; None where nothing says so."""
    while (node := producers.get(name)) is not None:
        if node.operator == Softmax.name:
            return largest_row_sum(integer(node, "steps"), integer(node, "size"))
        before, after = shapes[node.inputs[0]], shapes[name]
        is_view = node.operator == Reshape.name and before[-1:] == after[-1:]
        if node.operator == Transpose.name:
            is_view = integers(node, "permutation")[-1:] == (len(before) - 1,)
        if not is_view:
            return None
        name = node.inputs[0]
    return None
