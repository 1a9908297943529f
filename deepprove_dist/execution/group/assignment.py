"""Which parts of a proof each rank works on.

Rows, leaves and codes are cut into P = 2^s parts, the residues of low bits. What a rank is given follows its
capacity; the bytes of a proof do not depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

PARTS_PER_WORKER = 4
"""Parts for each rank where one for each would not be fair."""

REGISTER = 16
"""Field elements in the widest register: rows of so many, or a multiple, fill registers exactly."""


@dataclass(frozen=True)
class Assignment:
    """2^log_parts parts, those of each rank that has any, and the capacities of these ranks."""

    log_parts: int
    parts: tuple[tuple[int, ...], ...]
    capacities: tuple[int, ...]

    def slices(self, size: int) -> list[tuple[int, int]]:
        """[0, size) cut into one interval for each rank that has parts, as long as its capacity says."""
        return slices(size, self.capacities)


def assign(capacities: Sequence[int], max_log_parts: int) -> Assignment:
    """Assigns at most 2^max_log_parts parts to ranks with these capacities (threads, say).

    Where there are fewer parts than ranks, the first ranks get one each.
    """
    capacities = tuple(capacities[: 1 << max_log_parts])
    ranks = len(capacities)
    fair = ranks & (ranks - 1) == 0 and len(set(capacities)) == 1
    wanted = (ranks - 1).bit_length() if fair else (PARTS_PER_WORKER * ranks - 1).bit_length()
    log_parts = max(0, min(wanted, max_log_parts))
    assigned: list[list[int]] = [[] for _ in capacities]
    for part in range(1 << log_parts):
        loads = [(len(parts) + 1) / max(size, 1) for parts, size in zip(assigned, capacities, strict=True)]
        # A part for everybody first: a rank without one would have nothing to do.
        assigned[part if part < ranks else loads.index(min(loads))].append(part)
    return Assignment(log_parts, tuple(map(tuple, assigned)), capacities)


def slices(size: int, capacities: Sequence[int]) -> list[tuple[int, int]]:
    """[0, size) cut into one interval for each rank, as long as its capacity says.

    Long ones begin at multiples of REGISTER.
    """
    total, ends = sum(capacities), [0]
    step = REGISTER if size >= 8 * REGISTER * len(capacities) else 1
    for rank in range(len(capacities) - 1):
        ends.append(size * sum(capacities[: rank + 1]) // (total * step) * step)
    return list(pairwise([*ends, size]))
