"""Large weights a few rows at a time: all of them in float64 take several times the memory of a model."""

from collections.abc import Iterator
from math import prod

from deepprove_dist.arrays import Shape

BLOCK = 2**18
"""Values of a block: as many float64 stay in a core's cache while one pass after another goes over them."""


def row_blocks(shape: Shape) -> Iterator[slice]:
    """The first axis of an array in slices, of BLOCK values in all or one index."""
    step = max(1, BLOCK // max(1, prod(shape[1:])))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))
