"""What rows along a tensor's last axis add up to at most: read off the nodes that compute it."""

from __future__ import annotations

from collections.abc import Mapping

from deepprove_dist.arrays import Shape
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.reshape import Reshape
from deepprove_dist.operators.softmax import Softmax, largest_row_sum
from deepprove_dist.operators.transpose import Transpose


def known_row_sum(name: str, producers: Mapping[str, Node], shapes: Mapping[str, Shape]) -> int | None:
    """What the rows of a tensor add up to at most, where nothing is negative; None where that is not known.

    ``producers``: the nodes before it, by their outputs.
    """
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
