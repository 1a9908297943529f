"""Nodes that compute the same are one: a sum that is held in two formats is summed once.

What a plan chose a format for stays, also beside an equal tensor. Reports and audits ask for it by its name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.node import Node


def share_nodes(
    nodes: Sequence[Node], formats: Mapping[str, Format], kept: Collection[str]
) -> tuple[list[Node], dict[str, Format]]:
    """Of equal nodes with results of one format the first, which is read for the others; the formats left.

    The results ``kept`` are computed whatever they equal.
    """
    alike: dict[tuple[str, tuple[str, ...]], list[Node]] = defaultdict(list)
    names: dict[str, str] = {}
    shared = []
    for original in nodes:
        node = replace(original, inputs=tuple(names.get(name, name) for name in original.inputs))
        others = alike[node.operator, node.inputs]
        equal = (
            other.output
            for other in others
            if other.attributes == node.attributes and formats.get(other.output) == formats.get(node.output)
        )
        first = None if node.output in kept else next(equal, None)
        if first is not None:
            names[node.output] = first
            continue
        others.append(node)
        shared.append(node)
    return shared, {name: format for name, format in formats.items() if name not in names}
