"""Constants with the same integers are one: steps of a recurrent layer read the same weights."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.operators.node import Node


def share_constants(
    constants: Mapping[str, IntArray], nodes: Sequence[Node]
) -> tuple[dict[str, IntArray], list[Node]]:
    """Of equal constants the first one, and the nodes that read it in place of the others."""
    first: dict[tuple[Shape, bytes], str] = {}
    names = {
        name: first.setdefault((array.shape, array.tobytes()), name) for name, array in constants.items()
    }
    if len(first) == len(constants):
        return dict(constants), list(nodes)
    shared = {name: array for name, array in constants.items() if names[name] == name}
    return shared, [
        replace(node, inputs=tuple(names.get(name, name) for name in node.inputs)) for node in nodes
    ]
