"""The choice of a schedule for a model's sizes: the shortest proof, with a price on proving time.

The measure is bytes * milliseconds^w: a proof may become 1% longer where that saves 1/w % of the time.
Encoding the weights is paid once for a loaded key and counts a small part.

A hiding key pays for its proofs with tails: the more proofs, the more columns of weights. The default is the
largest of 16, 32, 64, ... that costs little. Its measure is at most MORE_PROOFS_FACTOR times that of 16. Its
bytes and time are within HIDING_FACTOR of a transparent key's.

A key stores the schedule, and a verifier checks only that it is secure. So another machine need not choose
the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from deepprove_dist.choices import require_choice, require_count
from deepprove_dist.errors import MemoryLimitError, SecurityError

from .cost import proof_bytes
from .schedule import DEFAULT_SECURITY_BITS, SECURITY_LEVELS, Schedule
from .search import UNLIMITED, Limits, best_schedule
from .security import require_possible
from .shape import ProtocolShape
from .sizes import Sizes
from .times import proving_milliseconds

ProofObjective = Literal["default", "small", "fast"]
Weights = Literal["committed", "public"]

TIME_EXPONENTS: dict[ProofObjective, float] = {"default": 1 / 3, "small": 0.1, "fast": 1.0}

LEAST_PROOFS = 16
"""Of a hiding key, where the caller says nothing; doubled while that costs little."""

MAX_PROOFS = 1 << 20
HIDING_FACTOR = 1.3
"""How much longer a hiding proof may be, and take, than a transparent one for the sake of more proofs."""

MORE_PROOFS_FACTOR = 1.05
"""How much larger the measure may be for the sake of more proofs than LEAST_PROOFS."""


def choose(
    weight_values: int,
    witness_values: int,
    shape: ProtocolShape,
    *,
    objective: ProofObjective = "default",
    weights: Weights = "committed",
    security_bits: int = DEFAULT_SECURITY_BITS,
    hiding: bool = False,
    proofs: int | None = None,
    hidden_values: tuple[int, ...] = (),
    hidden_proofs: int = LEAST_PROOFS,
    memory: int | None = None,
) -> Schedule:
    """The schedule for a model of `weight_values` and `witness_values` committed base-field values.

    With public weights only the witness matrix is opened. `witness_values` are those of the model: a hiding
    proof's pads are added here. One commitment to hidden weights is good for `proofs` proofs at least. The
    same for `hidden_values`, those of each hidden input and output, and `hidden_proofs`. A prover may hold
    `memory` bytes, or any number.

    Raises SecurityError where no schedule of the family holds the values at the level. It names the error
    that is in the way. Raises ChoiceError for an objective, weights, level or count that there is not.
    Raises MemoryLimitError where no schedule takes so little memory.
    """
    require_choice("objective", objective, get_args(ProofObjective))
    require_choice("weights", weights, get_args(Weights))
    require_choice("security", security_bits, SECURITY_LEVELS)
    require_choice("hiding", hiding, (False, True))
    if proofs is not None:
        require_count("proofs", proofs, 1, MAX_PROOFS)
    require_count("hidden_proofs", hidden_proofs, 1, MAX_PROOFS)
    require_possible(shape, security_bits)
    transparent = Sizes(weight_values, witness_values)
    if weights == "public":
        transparent = Sizes(0, witness_values, public_weights=weight_values)
    exponent, limits = TIME_EXPONENTS[objective], UNLIMITED if memory is None else Limits(memory_bytes=memory)
    if not hiding:
        return best_schedule(transparent, shape, exponent, security_bits, limits)
    padded = witness_values + shape.products.pad_values
    sizes = replace(
        transparent,
        witness_values=padded,
        hiding=True,
        proofs=proofs or LEAST_PROOFS,
        hidden_values=hidden_values,
        hidden_proofs=hidden_proofs,
    )
    reference = best_schedule(transparent, shape, exponent, security_bits, limits)
    limits = limits.beside(reference, shape, HIDING_FACTOR)
    schedule = best_schedule(sizes, shape, exponent, security_bits, limits)
    if proofs is not None or schedule.initial.proofs is None:
        return schedule
    most = MORE_PROOFS_FACTOR * _measure(schedule, shape, exponent)
    while longer := _within(limits, replace(sizes, proofs=2 * sizes.proofs), shape, exponent, security_bits):
        if _measure(longer, shape, exponent) > most:
            break
        sizes, schedule = replace(sizes, proofs=2 * sizes.proofs), longer
    return schedule


def _measure(schedule: Schedule, shape: ProtocolShape, exponent: float) -> float:
    """What is chosen by, but for the loading of a key."""
    return float(proof_bytes(schedule, shape) * proving_milliseconds(schedule, shape) ** exponent)


def _within(
    limits: Limits, sizes: Sizes, shape: ProtocolShape, exponent: float, security_bits: int
) -> Schedule | None:
    """The schedule of these sizes, if there is one within the limits."""
    if sizes.proofs > MAX_PROOFS:
        return None
    try:
        schedule = best_schedule(sizes, shape, exponent, security_bits, limits)
    except (SecurityError, MemoryLimitError):
        return None
    size, time = proof_bytes(schedule, shape), proving_milliseconds(schedule, shape)
    return schedule if limits.excess(size, time) == 1.0 else None
