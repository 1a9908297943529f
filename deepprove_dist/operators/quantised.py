"""A tensor of the integer model while it is planned."""

from dataclasses import dataclass

from deepprove_dist.operators.formats import Format
from deepprove_dist.protocol.system.table import Interval

# Integers that tables and maxima take as they are; wider ones are rescaled first.
NARROW = 2**12


@dataclass(frozen=True)
class QuantisedTensor:
    """An integer tensor that holds the float tensor ``reference`` in the given format; "" where it holds
    none.

    ``row_sum``: what the integers of a row, along the last axis, add up to at most, where none is negative.
    ``by_ranges``: its interval as far as the ranges of committed tensors tell. That is what a verifier knows.
    Both are None where nothing is known beside the format.
    """

    name: str
    reference: str
    format: Format
    row_sum: int | None = None
    by_ranges: Interval | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it has one scale, and few enough integers for tables and maxima."""
        return self.format.scale.is_single and self.format.hi - self.format.lo < NARROW

    def holds(self, number: float) -> bool:
        """Whether a number that joins the tensor's values is rounded no worse than they are.

        Whole values have the unit 1 however few they are. Other numbers would be lost among them.
        """
        return self.format.unit != 1.0 or float(number).is_integer()
