"""Weights on an axis, and what an index map makes of them.

A map follows axes of an expression. Let e[h] be weights on their positions (eq of a point, say), times the
map's factors. With [x = (h, i)] for "index x is that of position h and tap i", three sums are needed. None of
them builds a matrix.

- Pulled back to the tensor's axis:  sum_{h, i} e[h] [x = (h, i)]  for each index x.
- Spread from taps to indices:       sum_{h, i} e[h] v[i] [x = (h, i)]  for each index x, with weights v on i.
- Bound to taps:                     sum_{h, x} e[h] t[x] [x = (h, i)]  for each tap i, with a tensor t.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, reduce
from math import prod

from deepprove_dist.canonical import FrozenStruct
from deepprove_dist.kernels import AxisVector, BaseVector, Extension, ExtensionVector, Pool
from deepprove_dist.protocol.claims.claim import ONE
from deepprove_dist.protocol.system.index_map import IndexMap


class AxisWeights(FrozenStruct, frozen=True, dict=True):
    """Weights on an axis of `size` positions: eq of a point, or explicit values where there is no point."""

    size: int
    point: ExtensionVector | None
    explicit: ExtensionVector | None = None

    @classmethod
    def joined(cls, axes: Sequence[AxisWeights]) -> AxisWeights:
        """The weights of several axes taken as one: at each position the product of theirs."""
        if len(axes) == 1:
            return axes[0]
        size = prod(axis.size for axis in axes)
        points = [axis.point for axis in axes]
        # Where all axes but the first are whole powers of two, the coordinates of all are those of the index.
        if closed_form([axis.size for axis in axes]) and None not in points:
            none = ExtensionVector.from_bytes(b"")
            return cls(size, reduce(ExtensionVector.__add__, (p for p in points if p is not None), none))
        return cls(size, None, reduce(ExtensionVector.outer, (axis.dense for axis in axes)))

    @cached_property
    def dense(self) -> ExtensionVector:
        """All weights."""
        if self.explicit is not None:
            return self.explicit
        assert self.point is not None
        return ExtensionVector.eq(self.point)[: self.size]

    @property
    def vector(self) -> AxisVector:
        """The weights as an axis vector of a term."""
        return AxisVector.explicit(self.dense) if self.point is None else AxisVector.eq(self.point)

    @cached_property
    def total(self) -> Extension:
        """The sum of all weights."""
        return self.sum(0, self.size)

    def sum(self, first: int, end: int) -> Extension:
        """The sum of the weights of positions first, ..., end - 1."""
        if self.point is None:
            return self.dense[first:end].dot(ExtensionVector([1] * (end - first)))
        if first == 0:
            return ONE if end == 1 << len(self.point) else self.point.eq_prefix_sum(end)
        return self.point.eq_prefix_sum(end) - self.point.eq_prefix_sum(first)


def closed_form(sizes: Sequence[int]) -> bool:
    """Whether eq on axes of these sizes, joined, is eq of one point.

    The bits of the axes' indices then stand side by side.
    """
    return all(size & (size - 1) == 0 for size in sizes[1:])


def pull_back(weights: Sequence[AxisWeights], axis: IndexMap, size: int) -> AxisVector:
    """The weights of a tensor's axis, of this size, that a map leads from axes of these weights."""
    joined = _joined(weights, axis)
    if axis.is_identity([followed.size for followed in weights], size):
        return joined.vector
    return AxisVector.explicit(axis.pull(_weighed(joined, axis), size))


def covered(weights: Sequence[AxisWeights], cover: IndexMap) -> Extension:
    """The weight of index 0, which is all that a cover leads to: the sum of what it covers."""
    return _joined(weights, cover).sum(cover.first, cover.end)


def spread_taps(weights: Sequence[AxisWeights], axis: IndexMap, size: int, taps: AxisWeights) -> AxisWeights:
    """The weights of the indices that a map leads to, from weights of what it follows and of its taps."""
    spread = axis.kernel(size).spread(_weighed(_joined(weights, axis), axis), taps.dense)
    return AxisWeights(size, None, spread)


def bind_taps(
    weights: Sequence[AxisWeights],
    axis: IndexMap,
    tensor: BaseVector | ExtensionVector,
    shape: tuple[int, int, int],
    pool: Pool,
) -> ExtensionVector:
    """A tensor of shape [outer, size, inner], bound to a map's taps: [outer, taps, inner]."""
    outer, size, inner = shape
    return axis.kernel(size).bind(tensor, outer, inner, _weighed(_joined(weights, axis), axis), pool)


def _joined(weights: Sequence[AxisWeights], axis: IndexMap) -> AxisWeights:
    return AxisWeights.joined([weights[k] for k in axis.axes])


def _weighed(joined: AxisWeights, axis: IndexMap) -> ExtensionVector:
    """The weights of positions times the map's factors."""
    if not axis.scale and (axis.first, axis.end) == (0, joined.size):
        return joined.dense
    return joined.dense.weigh(axis.factors(joined.size))
