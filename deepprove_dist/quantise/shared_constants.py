"""Constants with the same integers are one: steps of a recurrent layer read the same weights."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import numpy as np

from deepprove_dist.arrays import Shape
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.integer_operator import Constants
from deepprove_dist.operators.node import Node

EXAMINED = 256
"""Integers of a constant that are compared before all of them are."""


def share_constants(constants: Constants, nodes: Sequence[Node]) -> tuple[dict[str, Integers], list[Node]]:
    """Of equal constants, each of the narrowest type, the first one; the nodes read it for the others."""
    first: dict[tuple[Shape, str, bytes], str] = {}
    alike = Counter(map(_beginning, constants.values()))
    names = {
        name: first.setdefault(_content(array), name) if alike[_beginning(array)] > 1 else name
        for name, array in constants.items()
    }
    if all(name == other for name, other in names.items()):
        return dict(constants), list(nodes)
    shared = {name: array for name, array in constants.items() if names[name] == name}
    return shared, [
        replace(node, inputs=tuple(names.get(name, name) for name in node.inputs)) for node in nodes
    ]


def _beginning(array: Integers) -> tuple[Shape, str, bytes]:
    """What equal constants have in common and others mostly do not."""
    return array.shape, array.dtype.str, array.flat[:EXAMINED].tobytes()


def _content(array: Integers) -> tuple[Shape, str, bytes]:
    """What equal constants have in common, in few bytes."""
    return array.shape, array.dtype.str, sha256(np.ascontiguousarray(array).data).digest()
