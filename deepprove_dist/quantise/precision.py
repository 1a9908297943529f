"""The precision of each layer: its shift, its limbs, and which layers share a table.

A shift s keeps weights s bits finer than quotients. Their rounding then errs by ``rounding_error / 2^s``
quotient units. The smallest s that brings this to ERROR_TARGET is enough. With D quotients allowed by the
interval bound, D * 2^s <= p.

What a choice costs is what it makes the prover commit. That is a value for each limb of each element, and the
multiplicities of every table in use. Layers with the same function share one table on the union of their
domains, where p has room for it. Limbs of equal width share one range table. So all layers are chosen
together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.protocol.system.bounds import rounded_interval
from deepprove_dist.quantise.activations import Activation
from deepprove_dist.quantise.calibrate import Statistics
from deepprove_dist.quantise.steps import LinearStep

ERROR_TARGET = 0.1
# The same where the model states the format: few results differ by a step then.
EXACT_ERROR_TARGET = 2.0**-12
MAX_LIMB_BITS = 16


@dataclass(frozen=True)
class Precision:
    """A layer's shift and limb widths; layers of the same ``table`` number share a table."""

    shift: int
    limbs: tuple[int, ...]
    table: int


@dataclass(frozen=True)
class _Need:
    """A layer: the least shift it should have, and real bounds of its quotients at any larger shift.

    ``most``: the largest shift at which the constant fits the field. ``ranges``: the bounds that a verifier
    sees. These are no entries of a table, but may not wrap beside it either.
    """

    step: LinearStep
    shift: int
    most: int
    lowest: float
    highest: float
    ranges: tuple[float, float]

    def room(self, first: float, last: float) -> int:
        """How many quotients have to differ modulo p, with a table from ``first`` to ``last``."""
        return ceil(max(last - first, last - self.ranges[0], self.ranges[1] - first)) + 1


def choose_precision(
    steps: Sequence[LinearStep], statistics: Mapping[str, Statistics], *, rounded: bool = False
) -> list[Precision]:
    """One choice for each step, in their order; `rounded` leaves room for tables of rounded domains.

    Raises QuantisationError for a layer that always wraps.
    """
    needs = [_need(step, statistics, rounded) for step in steps]
    tables = _share_tables(needs, rounded)
    table_of = {id(need): index for index, table in enumerate(tables) for need in table}
    domains = [_domain(table, rounded) for table in tables]
    most = [
        min(need.most, (MODULUS // need.room(*domains[table_of[id(need)]])).bit_length() - 1)
        for need in needs
    ]
    candidates = []
    for width in range(1, MAX_LIMB_BITS + 1):
        shifts = [_shift(need.shift, largest, width) for need, largest in zip(needs, most, strict=True)]
        limbs = [_limbs(shift, width) for shift in shifts]
        values = sum(need.step.sum.elements * len(widths) for need, widths in zip(needs, limbs, strict=True))
        entries = sum(2**bits for bits in set().union(*limbs))
        candidates.append((values + entries, shifts, limbs))
    _, shifts, limbs = min(candidates, key=lambda candidate: candidate[0])
    return [
        Precision(shift, widths, table_of[id(need)])
        for need, shift, widths in zip(needs, shifts, limbs, strict=True)
    ]


def _need(step: LinearStep, statistics: Mapping[str, Statistics], rounded: bool) -> _Need:
    lowest, highest = (bound / step.activation.unit for bound in step.sum.bounds())
    least, largest = (bound / step.activation.unit for bound in step.sum.bounds_by_ranges())
    usable, most = None, min(_most_for_constant(step), _most_for_ranges(step))
    errors = step.sum.rounding_errors(statistics)
    for shift in range(most + 1):
        exact = step.sum.is_exact(step.activation.unit / 2**shift)
        slack = 0.0 if exact else step.sum.rounding_bound()
        # The quotient itself rounds by at most one unit more on either side.
        margin = slack / 2**shift + 1
        ranges = least - margin, largest + margin
        need = _Need(step, shift, most, lowest - margin, highest + margin, ranges)
        if _wrapping([need], _domain([need], rounded)):
            # With few bits the slack alone may be too much, with many the shift.
            if usable is not None:
                break
            continue
        usable = need
        if _is_fine(step, errors, shift):
            break
    if usable is None:
        raise QuantisationError(f"'{step.sum.name}': no scale keeps its sums from wrapping modulo p")
    return usable


def _most_for_constant(step: LinearStep) -> int:
    """The largest shift at which the constant, whose sign the field holds too, is at most half of it.

    A sum of one sign may have a range as wide as the field, and a constant beyond its middle.
    """
    constant = float(np.abs(step.sum.constant).max()) / step.activation.unit
    return next(
        (shift for shift in reversed(range(MODULUS.bit_length())) if constant * 2**shift <= LARGEST_SIGNED),
        -1,
    )


def _most_for_ranges(step: LinearStep) -> int:
    """The largest shift at which nothing wraps by ranges of committed tensors alone, where these say less."""
    (lowest, highest), span = step.sum.bounds(), step.sum.largest_span()
    shifts = reversed(range(MODULUS.bit_length()))
    if span <= highest - lowest:
        return next(shifts)
    span, slack = span / step.activation.unit, 2 * step.sum.rounding_bound() + 2
    return next((shift for shift in shifts if (span + 2) * 2**shift + slack < MODULUS), -1)


def _is_fine(step: LinearStep, errors: Callable[[float], float], shift: int) -> bool:
    """Whether the rounding of factors is lost in that of quotients."""
    unit = step.activation.unit / 2**shift
    if step.exact and step.sum.is_exact(unit):
        return True
    target = EXACT_ERROR_TARGET if step.exact else ERROR_TARGET
    allowed: float = target * 2**shift
    return errors(unit) <= allowed


def _domain(needs: Sequence[_Need], rounded: bool) -> tuple[float, float]:
    """Bounds of the domain of a table that all these layers share."""
    lowest, highest = min(need.lowest for need in needs), max(need.highest for need in needs)
    if not rounded:
        return lowest, highest
    return rounded_interval(floor(lowest), ceil(highest))


def _wrapping(needs: Sequence[_Need], domain: tuple[float, float]) -> list[_Need]:
    """The layers that could wrap modulo p with a table of this domain."""
    return [need for need in needs if need.room(*domain) << need.shift > MODULUS]


def _reaches_further(need: _Need) -> bool:
    return need.ranges[0] < need.lowest or need.ranges[1] > need.highest


def _share_tables(needs: Sequence[_Need], rounded: bool) -> list[list[_Need]]:
    """Layers grouped by function; the widest get tables of their own until the others have room."""
    groups: dict[Activation, list[_Need]] = {}
    for need in needs:
        groups.setdefault(need.step.shared, []).append(need)
    tables = []
    for group in groups.values():
        shared = sorted(group, key=lambda need: need.highest - need.lowest)
        while wrapping := _wrapping(shared, _domain(shared, rounded)):
            # Without one whose ranges reach beyond its bounds the others may keep their table.
            alone = next((need for need in wrapping if _reaches_further(need)), shared[-1])
            shared = [need for need in shared if need is not alone]
            tables.append([alone])
        tables.append(shared)
    return tables


def _shift(smallest: int, largest: int, width: int) -> int:
    """The smallest shift that limbs of ``width`` fill exactly, if p leaves room for it."""
    filled = -(-smallest // width) * width
    return filled if filled <= largest else smallest


def _limbs(shift: int, width: int) -> tuple[int, ...]:
    full, remaining = divmod(shift, width)
    return (width,) * full + ((remaining,) if remaining else ())
