"""How the parts of a proof are dealt to workers.

Rows, leaves and codes are cut into P = 2^s parts, the residues of low bits. What a worker is given follows
its capacity; the bytes of a proof do not depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

PARTS_PER_WORKER = 4
"""Parts for each worker where one for each would not be fair."""

REGISTER = 16
"""Field elements in the widest register: rows of so many, or a multiple, have no rest."""


@dataclass(frozen=True)
class Assignment:
    """2^log_parts parts, and those of each rank that has any."""

    log_parts: int
    parts: tuple[tuple[int, ...], ...]


def deal(capacities: Sequence[int], most: int) -> Assignment:
    """Deals at most 2^most parts to ranks with these capacities (threads, say), or to the first of them."""
    capacities = capacities[: 1 << most]
    ranks = len(capacities)
    fair = ranks & (ranks - 1) == 0 and len(set(capacities)) == 1
    wanted = (ranks - 1).bit_length() if fair else (PARTS_PER_WORKER * ranks - 1).bit_length()
    log_parts = max(0, min(wanted, most))
    own: list[list[int]] = [[] for _ in capacities]
    for part in range(1 << log_parts):
        loads = [(len(parts) + 1) / max(size, 1) for parts, size in zip(own, capacities, strict=True)]
        # A part for everybody first: a rank without one would have nothing to do.
        own[part if part < ranks else loads.index(min(loads))].append(part)
    return Assignment(log_parts, tuple(map(tuple, own)))


def slices(size: int, capacities: Sequence[int]) -> list[tuple[int, int]]:
    """[0, size) cut into one interval for each rank, as long as its capacity says.

    Long ones begin at multiples of REGISTER.
    """
    total, ends = sum(capacities), [0]
    step = REGISTER if size >= 8 * REGISTER * len(capacities) else 1
    for rank in range(len(capacities) - 1):
        ends.append(size * sum(capacities[: rank + 1]) // (total * step) * step)
    return list(pairwise([*ends, size]))
