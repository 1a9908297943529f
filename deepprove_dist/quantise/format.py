"""The format of a quantised tensor: the finest one of so many bits that holds a range of reals."""

from math import floor, log2

from deepprove_dist.errors import QuantisationError
from deepprove_dist.operators.formats import Format
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.calibrate import Statistics

# Values reach this much further to one side than to the other before a range is worth moving.
SKEWED = 2.0

LEAST_BITS = 7
"""Of a format that layers read: 8 bits, or 7 where a function keeps one half of them."""

LARGER_DIVISOR = 1.25
"""Times the largest divisor of calibration, which still is held. It takes little of a fine format."""


def choose_format(lowest: float, highest: float, bits: int, non_negative: bool) -> Format:
    """The finest format of ``bits`` bits that holds the reals in [lowest, highest].

    Zero is always the integer 0. The range is [0, 2^bits - 1] for non-negative values. Otherwise it is
    centred, so that layers share tables, unless the values reach much further to one side.
    """
    steps = 2**bits - 1
    lo, hi = (0, steps) if non_negative else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if not non_negative and lowest < 0 < highest and not 1 / SKEWED < -lowest / highest < SKEWED:
        lo = min(-1, max(1 - steps, round(lowest / (highest - lowest) * steps)))
        hi = lo + steps
    scale = max(highest / hi, lowest / lo if lo else 0.0)
    # A tensor that is zero only has no scale of its own.
    return Format(Scale.of(scale if scale > 0 else 1.0 / hi), lo, hi)


def choose_divisor(name: str, values: Statistics, bits: int) -> Format:
    """The finest format of ``bits`` bits that holds values of one sign, and some beyond those of calibration.

    It reaches down to half of the least size, and up to a quarter more than the largest. A divisor that is
    clamped changes its quotient as much.

    Raises QuantisationError, naming the tensor, for values of both signs or 0.
    """
    lowest, highest = values.lowest, values.highest
    if lowest <= 0 <= highest:
        raise QuantisationError(
            f"'{name}' divides another tensor, and is between {lowest:g} and {highest:g} on the samples of "
            "calibration. Bound it away from 0 in the model (a constant added, Clip, Max)"
        )
    least, largest = sorted((abs(lowest), abs(highest)))
    steps, most = 2**bits - 1, LARGER_DIVISOR * largest
    first = max(1, floor(least / 2 / most * steps))
    return Format(Scale.of(most / steps), *((first, steps) if lowest > 0 else (-steps, -first)))


def coarsened(format: Format, factor: float) -> Format:
    """The format with a unit that is coarser by a factor, and a range that holds the same reals.

    What a range holds beyond them would only make the bounds of later sums larger. It is halved as often as
    that keeps them, and no more: so layers share tables.
    """
    scale = Scale.of(factor * format.unit)
    if not format.lo <= 0 < format.hi:
        return Format(scale, format.lo, format.hi)
    bits = (format.hi - format.lo + 1).bit_length() - 1
    parts = 2 ** max(0, min(floor(log2(factor)), bits - LEAST_BITS))
    return Format(scale, format.lo // parts, max(1, (format.hi + 1) // parts - 1))


def reals(format: Format) -> tuple[float, float]:
    """The smallest and the largest real value that a format of one scale holds."""
    return format.unit * format.lo, format.unit * format.hi
