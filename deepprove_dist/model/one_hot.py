"""Whether a tensor is of one-hot vectors, or zeros, along its last axis: read off the nodes that compute it.

Element k is T(v + r_k), with a table T of 0 and 1 that is 1 at hot distances. The value v does not vary along
the axis, and r_k = r_0 - s k for a step s >= 1. Two elements k < l are 1 only if two hot distances differ by
s (l - k). With n elements none do where no difference is a multiple of s between s and s (n - 1).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.operators.attributes import integers
from deepprove_dist.operators.broadcast import Broadcast
from deepprove_dist.operators.integer_operator import Constants
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.requantise import is_requantisation
from deepprove_dist.operators.requantise import read as read_requantisation
from deepprove_dist.operators.selected_rows import Rows
from deepprove_dist.operators.weighted_sum import WeightedSum
from deepprove_dist.protocol.system.table import Table

MOST_HOT = 1024
"""Of a table that is looked into: an index has two hot distances."""


def require_one_hot(
    node: Node, producers: Mapping[str, Node], shapes: Mapping[str, Shape], constants: Constants
) -> None:
    """Requires of a node that selects rows that its input is of one-hot vectors or zeros. Raises ModelError.

    ``producers``: the nodes before it, by their outputs.
    """
    if node.operator == Rows.name and not _is_one_hot(node.inputs[0], producers, shapes, constants):
        raise ModelError(
            f"'{node.name}' takes rows at indices that may not be whole numbers. Nothing says that "
            f"'{node.inputs[0]}' has at most one 1 in a row. Let the model end in front of this node"
        )


def _is_one_hot(
    name: str, producers: Mapping[str, Node], shapes: Mapping[str, Shape], constants: Constants
) -> bool:
    choice = producers.get(name)
    if choice is None or not is_requantisation(choice):
        return False
    shift, table, _ = read_requantisation(choice.attributes)
    distances = producers.get(choice.inputs[0])
    if shift != 0 or distances is None or distances.operator != WeightedSum.name:
        return False
    multipliers = dict(zip(distances.inputs, integers(distances, "multipliers"), strict=True))
    ramps = [tensor for tensor in distances.inputs if not _is_repeated(tensor, producers, shapes)]
    if len(multipliers) < len(distances.inputs) or len(ramps) != 1 or ramps[0] not in constants:
        return False
    ramp = multipliers[ramps[0]] * constants[ramps[0]].astype(np.int64)
    size = shapes[name][-1]
    return ramp.shape[-1:] == (size,) and ramp.size == size and _selects_one(ramp.reshape(-1), table)


def _is_repeated(tensor: str, producers: Mapping[str, Node], shapes: Mapping[str, Shape]) -> bool:
    """Whether a tensor does not vary along its last axis."""
    node = producers.get(tensor)
    return node is not None and node.operator == Broadcast.name and shapes[node.inputs[0]][-1:] == (1,)


def _selects_one(ramp: IntArray, table: Table) -> bool:
    """Whether T(v + r) is 1 for one element of the ramp at most, whatever v is, and 0 for all others."""
    values = table.values()
    if len(ramp) < 2 or not set(np.unique(values)) <= {0, 1}:
        return False
    step = int(ramp[0] - ramp[1])
    if step < 1 or (np.diff(ramp) != -step).any():
        return False
    hot = np.flatnonzero(values)
    differences = (hot[:, None] - hot[None, :]).reshape(-1) if len(hot) <= MOST_HOT else np.array([step])
    apart = differences[differences > 0]
    return not ((apart % step == 0) & (apart <= step * (len(ramp) - 1))).any()
