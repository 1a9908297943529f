"""What the witness's terms of a relation have to equal, where no weights take part: it follows from ranges.

The sum of products is between the sums of their least and greatest values. Each factor is in its proven
range, and an index of contracted axes and taps adds one product of factors. A square is not negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from deepprove_dist.protocol.system.maxima import Maxima
from deepprove_dist.protocol.system.ranges import affine_range, times
from deepprove_dist.protocol.system.system import Matrix, Product, Relation, System
from deepprove_dist.protocol.system.table import Interval


def range_without_weights(
    system: System, relation: Relation, ranges: Mapping[int, Interval], plain: Maxima
) -> Interval | None:
    """Bounds of what the witness's terms have to equal; None where the key's maker knows, by the weights."""
    values = [factor.value for product in relation.products for factor in (product.left, product.right)]
    tensors = {term.tensor for affine in (relation.affine, *values) for term in affine.terms}
    if any(system.tensors[tensor].matrix is Matrix.WEIGHTS for tensor in tensors):
        return None
    low = high = 0
    for product in relation.products:
        count = prod(product.contracted) * prod(taps.map.taps for taps in product.taps)
        bounds = times(_range_of_one(system, product, ranges, plain), [product.coefficient * count])
        for taps in product.taps:
            # Outside of the map, or of what it leads to, there is nothing to add.
            bounds = times(bounds, (*(taps.map.scale or (1,)), 0))
        low, high = low + bounds[0], high + bounds[1]
    return low, high


def _range_of_one(
    system: System, product: Product, ranges: Mapping[int, Interval], plain: Maxima
) -> Interval:
    """Bounds of one product of both factors."""
    left, right = (affine_range(system, f.value, ranges, plain) for f in (product.left, product.right))
    low, high = times(right, left)
    # Factors over the same axes have the same value at each index.
    is_square = product.left == product.right and not product.taps
    return (0 if left[0] <= 0 <= left[1] else low, high) if is_square else (low, high)
