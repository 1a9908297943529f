"""Weights on an axis, and what an index map makes of them.

A map follows axes of an expression. Let e[h] be weights on their positions (eq of a point, say), times the
map's factors. With [x = (h, i)] for "index x is that of position h and tap i", three sums are needed. None of
them builds a matrix. The first is that of all terms of expressions, which the kernels have whole (`affine`).

- Pulled back to the tensor's axis:  sum_{h, i} e[h] [x = (h, i)]  for each index x.
- Spread from taps to indices:       sum_{h, i} e[h] v[i] [x = (h, i)]  for each index x, with weights v on i.
- Bound to taps:                     sum_{h, x} e[h] t[x] [x = (h, i)]  for each tap i, with a tensor t.
"""

from __future__ import annotations

from collections.abc import Sequence

from deepprove_dist.kernels import AxisWeights, BaseVector, ExtensionVector, Pool, SpaceWeights
from deepprove_dist.protocol.system.index_map import IndexMap


def closed_form(sizes: Sequence[int]) -> bool:
    """Whether eq on axes of these sizes, joined, is eq of one point.

    The bits of the axes' indices then stand side by side.
    """
    return all(size & (size - 1) == 0 for size in sizes[1:])


def spread_taps(weights: SpaceWeights, axis: IndexMap, size: int, taps: AxisWeights) -> AxisWeights:
    """The weights of the indices that a map leads to, from weights of what it follows and of its taps."""
    spread = axis.kernel(size).spread(_weighed(_joined(weights, axis), axis), taps.dense)
    return AxisWeights(size, None, spread)


def bind_taps(
    weights: SpaceWeights,
    axis: IndexMap,
    tensor: BaseVector | ExtensionVector,
    shape: tuple[int, int, int],
    pool: Pool,
) -> ExtensionVector:
    """A tensor of shape [outer, size, inner], bound to a map's taps: [outer, taps, inner]."""
    outer, size, inner = shape
    return axis.kernel(size).bind(tensor, outer, inner, _weighed(_joined(weights, axis), axis), pool)


def _joined(weights: SpaceWeights, axis: IndexMap) -> AxisWeights:
    return AxisWeights.joined([weights[k] for k in axis.axes])


def _weighed(joined: AxisWeights, axis: IndexMap) -> ExtensionVector:
    """The weights of positions times the map's factors."""
    if not axis.scale and (axis.first, axis.end) == (0, joined.size):
        return joined.dense
    return joined.dense.weigh(axis.factors(joined.size))
