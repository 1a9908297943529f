"""How a real tensor is held in integers: real = scale * integer, with the integer in [lo, hi]."""

from dataclasses import dataclass

from deepprove_dist.protocol.table import Interval

# Values reach this much further to one side than to the other before a range is worth moving.
SKEWED = 2.0


@dataclass(frozen=True)
class Format:
    """Scale and range of a quantised tensor."""

    scale: float
    lo: int
    hi: int

    @property
    def interval(self) -> Interval:
        """The range, ends included."""
        return self.lo, self.hi

    @property
    def reals(self) -> tuple[float, float]:
        """The smallest and the largest real value that it holds."""
        return self.scale * self.lo, self.scale * self.hi


def choose_format(lowest: float, highest: float, bits: int, non_negative: bool) -> Format:
    """The finest format of ``bits`` bits that holds the reals in [lowest, highest].

    Zero is always the integer 0. The range is [0, 2^bits - 1] for non-negative values; otherwise centred, so
    that layers share tables, unless the values reach much further to one side.
    """
    steps = 2**bits - 1
    lo, hi = (0, steps) if non_negative else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if not non_negative and lowest < 0 < highest and not 1 / SKEWED < -lowest / highest < SKEWED:
        lo = min(-1, max(1 - steps, round(lowest / (highest - lowest) * steps)))
        hi = lo + steps
    scale = max(highest / hi, lowest / lo if lo else 0.0)
    # A tensor that calibration saw as all zero has no scale of its own.
    return Format(scale if scale > 0 else 1.0 / hi, lo, hi)
