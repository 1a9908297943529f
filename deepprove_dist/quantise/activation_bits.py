"""How many bits activations get where nobody says: as few as bring the outputs close to the float model's.

Models of LEAST bits are the cheapest to prove. Two more bits make roundings four times finer, but tables four
times larger. They are tried only where the error on samples held out is above ENOUGH of the spread. They are
kept only where that error shrinks. A width that no key can have is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

ACTIVATION_BITS = range(8, 13)
AUTO: Literal["auto"] = "auto"
ActivationBits = int | Literal["auto"]
BITS_CHOICES: Sequence[ActivationBits] = (AUTO, *ACTIVATION_BITS)

LEAST = ACTIVATION_BITS[0]
TRIED: Sequence[int] = (10, 12)

ENOUGH = 0.02
"""An error over the spread that is not worth more bits."""

INEXACT = 0.05
"""An error over the spread that setup warns of."""

HELPFUL = 0.7
"""More bits have to bring the error down to this share."""

Model = TypeVar("Model")


@dataclass(frozen=True)
class Widening(Generic[Model]):
    """A model with activations of so many bits; ``error`` is the largest of its outputs over their spread."""

    bits: int
    model: Model
    error: float


def starting_bits(bits: ActivationBits) -> int:
    """The bits that are tried first, and counted with where there are no samples."""
    return LEAST if bits == AUTO else bits


def fewest_bits(first: Widening[Model], attempt: Callable[[int], Widening[Model] | None]) -> Widening[Model]:
    """The first attempt that is close enough, else the closest.

    ``attempt`` gives None for bits that no model can have.
    """
    best, others = first, tuple(TRIED)
    while best.error > ENOUGH and others:
        enough = (bits for bits in others if best.error / 2 ** (bits - best.bits) <= ENOUGH)
        bits = next(enough, others[-1])
        finer = attempt(bits)
        if finer is None:
            others = tuple(other for other in others if other < bits)
        elif finer.error > HELPFUL * best.error:
            break
        else:
            best, others = finer, tuple(other for other in others if other > bits)
    return best
