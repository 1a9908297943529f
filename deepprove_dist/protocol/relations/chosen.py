"""Products with a public factor that is 1 at few places and 0 elsewhere: the selections of `arg_max`.

Their sums have few terms. So the prover needs no vector of all places: see the kernel. The verifier checks
such a product as it does any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

from deepprove_dist.protocol.relations.contraction import ProductInstance
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import Constant, axis_bits


def chosen_places(instance: ProductInstance) -> list[tuple[int, int]] | None:
    """The places (row, column) where the left factor is 1; None where it is no such factor.

    Rows are the positions of all output axes, in order. Columns are those of the one contracted axis.
    """
    left, right = instance.factors
    axes, value = tuple(range(len(instance.outputs) + 1)), left.value
    whole = left.axes == right.axes == axes and len(instance.product.contracted) == 1
    if value.terms or instance.product.taps or not instance.sumcheck.shared or not whole:
        return None
    *rows, _ = value.space
    places = []
    for constant in value.constants:
        position = _position(constant, axes)
        if position is None:
            return None
        *row, column = position
        places.append((_flat(row, rows), column))
    return places


def hypercube_indices(sizes: Sequence[int]) -> list[int]:
    """The index of each position of some axes, in order, on the hypercube of all their bits."""
    padded = [1 << axis_bits(size) for size in sizes]
    return [_flat(position, padded) for position in product(*map(range, sizes))]


def _position(constant: Constant, axes: Sequence[int]) -> list[int] | None:
    """The only position of a constant 1, by axis; None for any other constant."""
    covers = {cover.axes[0]: cover for cover in constant.within if _is_single(cover)}
    if constant.value != 1 or len(constant.within) != len(axes) or set(covers) != set(axes):
        return None
    return [covers[axis].first for axis in axes]


def _is_single(cover: IndexMap) -> bool:
    return cover.is_cover and len(cover.axes) == 1 and cover.end == cover.first + 1


def _flat(position: Sequence[int], sizes: Sequence[int]) -> int:
    """The index of a position in row-major order."""
    return sum(index * prod(sizes[axis + 1 :]) for axis, index in enumerate(position))
