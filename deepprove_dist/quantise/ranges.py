"""Rules that choose what range of a tensor's values its format has to hold; values beyond it are clamped.

The extremes clamp nothing that calibration saw. A narrower range makes every other value finer. Either it
leaves out a fixed share of the values, or it is the one with the least mean squared error. A wider one holds
values that calibration did not see.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from deepprove_dist.quantise.calibrate import Statistics
from deepprove_dist.quantise.format import choose_format

RealRange = tuple[float, float]
RangeRule = Callable[[Statistics, int], RealRange]

MAXIMUM = "max"
MARGIN = "max and a margin"

# How much wider a range with a margin is.
WIDENED = 1.5

_SHARES = np.linspace(1.0, 0.3, 36)


def _extremes(statistics: Statistics, bits: int) -> RealRange:
    return statistics.lowest, statistics.highest


def _widened(statistics: Statistics, bits: int) -> RealRange:
    return WIDENED * statistics.lowest, WIDENED * statistics.highest


def _percentile(percent: float) -> RangeRule:
    def rule(statistics: Statistics, bits: int) -> RealRange:
        # Zeros, which any format holds, would hide how large the others are.
        others = statistics.elements[statistics.elements != 0]
        if others.size == 0:
            return _extremes(statistics, bits)
        lowest, highest = np.percentile(others, (100 - percent, percent))
        return min(0.0, float(lowest)), max(0.0, float(highest))

    return rule


def _least_squares(statistics: Statistics, bits: int) -> RealRange:
    elements, best, least = statistics.elements, _extremes(statistics, bits), np.inf
    for share in _SHARES:
        lowest, highest = share * statistics.lowest, share * statistics.highest
        format = choose_format(lowest, highest, bits, statistics.lowest >= 0)
        held = np.clip(np.rint(elements / format.scale), format.lo, format.hi) * format.scale
        error = float(np.square(held - elements).sum())
        if error < least:
            best, least = (lowest, highest), error
    return best


RANGE_RULES: Mapping[str, RangeRule] = MappingProxyType(
    {
        MAXIMUM: _extremes,
        MARGIN: _widened,
        "percentile 99.99": _percentile(99.99),
        "percentile 99.9": _percentile(99.9),
        "mse": _least_squares,
    }
)

METHODS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "auto": tuple(RANGE_RULES),
        "max": (MAXIMUM,),
        "margin": (MARGIN,),
        "percentile": ("percentile 99.99", "percentile 99.9"),
        "mse": ("mse",),
    }
)
"""The rules of which a calibration method takes the best."""
