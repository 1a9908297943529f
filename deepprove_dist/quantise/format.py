"""How a real tensor is held in integers: real = scale * integer, with the integer in [lo, hi]."""

from dataclasses import dataclass

from deepprove_dist.protocol.table import Interval


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


def choose_format(lowest: float, highest: float, bits: int, non_negative: bool) -> Format:
    """The finest format of ``bits`` bits that holds the reals in [lowest, highest].

    Zero is always the integer 0: the range is [0, 2^bits - 1] for non-negative values and centred otherwise.
    """
    if non_negative:
        lo, hi = 0, 2**bits - 1
        scale = highest / hi
    else:
        lo, hi = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        scale = max(highest / hi, lowest / lo)
    # A tensor that calibration saw as all zero has no scale of its own.
    return Format(scale if scale > 0 else 1.0 / hi, lo, hi)
