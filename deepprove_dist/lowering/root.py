"""The integer nearest to the square root of a positive integer v, b >= 1:

    v = b^2 + b - t,    t >= 0,    2 b - 1 - t >= 0.

So v is in [b^2 - b + 1, b^2 + b]. This is one product. Both differences are shown not to be negative, as
those of a quotient are. So v determines b and t, as `protocol.system.remainders` says.
"""

from __future__ import annotations

from dataclasses import replace
from math import isqrt, prod

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.lowering.quotient import REMAINDER, SLACK, Remainder
from deepprove_dist.protocol.system.system import Affine, Constant, Factor, Product

PREFIX = "root_"
"""Of the names of the columns t and 2 b - 1 - t."""


def nearest_root(value: int) -> int:
    """The integer nearest to the square root."""
    root = isqrt(value)
    return root + (value > root * root + root)


def nearest_roots(values: IntArray) -> tuple[IntArray, dict[str, IntArray]]:
    """b for each value in [1, 2^52), and the columns t and 2 b - 1 - t."""
    root = np.floor(np.sqrt(values.astype(np.float64))).astype(np.int64)
    root += values > root * root + root
    remainder = root * root + root - values
    return root, {f"{PREFIX}{REMAINDER}": remainder, f"{PREFIX}{SLACK}": 2 * root - 1 - remainder}


def committed_root(
    node: str, name: str, source: Source, value: Affine, largest: int, builder: Builder
) -> Affine:
    """The root b of an expression v with known values, committed under a name, and at most ``largest``.

    Its columns are those of the source's value.
    """
    space = value.space
    like = Expression(space[1:], value, (), (0, 0))
    root = builder.witness(name, like, source).value
    builder.look_up(0, largest + 1, None, root)
    left_over = Remainder(node, source.value, 2 * largest - 1, prod(space[1:]), PREFIX)
    remainder = left_over.committed(value, builder)
    factor = Factor(root, tuple(range(len(space))))
    square = replace(like, value=Affine(space, (), ()), products=(Product(1, (), (), factor, factor),))
    builder.require_equal(node, added(value, scaled(root, -1), remainder), square)
    less = Affine(space, (), (Constant(-1),))
    left_over.require(added(scaled(root, 2), scaled(remainder, -1), less), builder)
    return root
