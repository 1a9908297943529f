"""The quotient of two values, rounded to the nearest integer, halves up:

    y = floor((2 a + b) / (2 b)),    2 a + b = 2 y b + r,    r >= 0,    2 b - 1 - r >= 0,    b >= 1.

This is one product. Both differences are shown not to be negative: each is in a range of a table, or made of
limbs. So a and b determine y and r, as `protocol.system.remainders` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deepprove_dist.arrays import IntArray
from deepprove_dist.canonical import replace
from deepprove_dist.lowering.builder import Builder, Limb, Source
from deepprove_dist.lowering.expression import Expression, added, moved, scaled
from deepprove_dist.protocol.system.system import Affine, Constant, Factor, Product
from deepprove_dist.protocol.system.table import Interval

REMAINDER, SLACK = "r", "s"

LIMB_BITS = 12
SMALL, LARGE = 1 << LIMB_BITS, 1 << 17
"""Numbers of a range that a table has for few elements, and for many."""


@dataclass(frozen=True)
class Remainder:
    """The remainder of a division or of a root, and what it may be at most.

    Attributes:
        name: of the node, for messages.
        output: the inference's value that the columns "r" and "s" belong to.
        largest: of r, and so of s.
        elements: that a sample has.
        prefix: of the columns' names, where a node has two remainders.
    """

    name: str
    output: str
    largest: int
    elements: int
    prefix: str = ""

    def committed(self, like: Affine, builder: Builder) -> Affine:
        """The remainder r, committed, and shown not to be negative."""
        if self._has_table:
            value = self._witness(like, REMAINDER, None, builder)
            builder.look_up(0, self.largest + 1, None, value)
            return value
        return self._in_limbs(like, REMAINDER, builder)

    def require(self, slack: Affine, builder: Builder) -> None:
        """States that the expression s is not negative."""
        if self._has_table:
            builder.look_up(0, self.largest + 1, None, slack)
            return
        limbs = self._in_limbs(slack, SLACK, builder)
        value = Expression(slack.space[1:], slack, (), (0, 0))
        builder.require_equal(self.name, limbs, value)

    @property
    def _has_table(self) -> bool:
        """A table commits to a multiplicity for each of its numbers, and limbs to more values an element."""
        return self.largest < min(LARGE, max(SMALL, 2 * self.elements))

    def _in_limbs(self, like: Affine, column: str, builder: Builder) -> Affine:
        total = Affine(like.space, (), ())
        for limb in self._limbs():
            value = self._witness(like, column, limb, builder)
            size = min(1 << limb.bits, (self.largest >> limb.offset) + 1)
            builder.look_up(0, size, None, value)
            total = added(total, scaled(value, 1 << limb.offset))
        return total

    def _limbs(self) -> Iterator[Limb]:
        """As many as are needed, of one width but for the last."""
        bits = self.largest.bit_length()
        width = -(-bits // -(-bits // LIMB_BITS))
        for offset in range(0, bits, width):
            yield Limb(0, offset, min(width, bits - offset))

    def _witness(self, like: Affine, column: str, limb: Limb | None, builder: Builder) -> Affine:
        column = f"{self.prefix}{column}"
        name = f"{self.output}.{column}" if limb is None else f"{self.output}.{column}{limb.offset}"
        expression = Expression(like.space[1:], like, (), (0, 0))
        return builder.witness(name, expression, Source(self.output, column, limb)).value


def remainders(numerator: IntArray, divisor: IntArray) -> tuple[IntArray, dict[str, IntArray]]:
    """y, and the columns r and s = 2 b - 1 - r, of arrays that broadcast."""
    quotient = (2 * numerator + divisor) // (2 * divisor)
    remainder = 2 * numerator + divisor - 2 * quotient * divisor
    return quotient, {REMAINDER: remainder, SLACK: 2 * divisor - 1 - remainder}


def quotient_interval(numerator: Interval, divisor: Interval) -> Interval:
    """Bounds of y, for a divisor of 1 at least."""
    ends = [(2 * a + b) // (2 * b) for a in numerator for b in divisor]
    return min(ends), max(ends)


def require_quotient(
    twice: Affine, quotient: Affine, divisor: Factor, remainder: Remainder, builder: Builder
) -> None:
    """States that a committed quotient, in its range already, is that of the expression `twice`, 2 a, and b.

    The divisor b has some of the axes of both.
    """
    product = Product(1, (), (), Factor(quotient, tuple(range(len(twice.space)))), divisor)
    require_division(twice, (), product, remainder, builder)


def require_division(
    twice: Affine, products: Sequence[Product], by_divisor: Product, remainder: Remainder, builder: Builder
) -> None:
    """The same, where 2 a has products too, and the product y b, whose second factor is b, is given."""
    space, divisor = twice.space, by_divisor.right
    over = moved(divisor.value, space, [(axis,) for axis in divisor.axes])
    left_over = remainder.committed(twice, builder)
    taken = [replace(product, coefficient=-product.coefficient) for product in products]
    sides = (replace(by_divisor, coefficient=2), *taken)
    value = Expression(space[1:], Affine(space, (), ()), sides, (0, 0))
    builder.require_equal(remainder.name, added(twice, over, scaled(left_over, -1)), value)
    less = Affine(space, (), (Constant(-1),))
    remainder.require(added(scaled(over, 2), scaled(left_over, -1), less), builder)
