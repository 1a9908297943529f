"""Layers that select rows of their weights by a public input: what is lowered and computed in another way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepprove_dist.arrays import Shape


@dataclass(frozen=True)
class PublicIndices:
    """The integers of a public input, in row-major order: ``shape`` is that in which a layer has them."""

    input: str
    shape: Shape


@dataclass(frozen=True)
class PublicRows:
    """The layers of a model that do so.

    Attributes:
        indices: the integers that select, by the layer's output.
        unread: outputs of nodes that nothing but such layers reads, directly or not.
    """

    indices: Mapping[str, PublicIndices] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
