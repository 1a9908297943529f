"""Seeded random changes of bytes, and of the values that msgpack bytes hold."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

INTEGERS = (0, 1, -1, 2, 3, 7, 255, 256, 2**16, 2**24, 2**31 - 2**24 + 1, 2**31, 2**32, 2**34, -(2**31))
EXTREMES = (2**63 - 1, 2**63, 2**64 - 1, -(2**63))
"""Ends of what msgpack holds, among others."""


def mutate_bytes(data: bytes, random: Random) -> bytes:
    """A few flips, inserted or deleted bytes, truncations and splices."""
    result = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        start = random.randrange(len(result) + 1)
        other = random.randrange(len(result) + 1)
        match random.randrange(7):
            case 0 | 1 if result:
                result[start % len(result)] ^= 1 << random.randrange(8)
            case 2 if result:
                result[start % len(result)] = random.choice((0, 0x7F, 0x80, 0x90, 0xC0, 0xDD, 0xDF, 0xFF))
            case 3:
                result[start:start] = random.randbytes(random.choice((1, 4, 20, 32)))
            case 4:
                del result[start : start + random.choice((1, 4, 20, 32))]
            case 5:
                length = random.randrange(200)
                result[start : start + length] = result[other : other + length]
            case _:
                result = result[: max(start, len(result) // 2)]
    return bytes(result)


def mutate_value(content: Any, random: Random) -> Any:
    """A copy with a few of its parts replaced, removed, repeated or reordered, at any depth."""
    result = copy.deepcopy(content)
    for _ in range(random.choice((1, 1, 2, 3))):
        slots = list(_slots(result))
        container, index = slots[random.randrange(len(slots))]
        if isinstance(container, list) and random.random() < 0.3:
            _change_list(container, index, random)
        else:
            container[index] = _other(container[index], random)
    return result


def _slots(part: Any) -> list[tuple[Any, Any]]:
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    slots = []
    for index, item in items:
        slots.append((part, index))
        slots += _slots(item)
    return slots


def _change_list(items: list[Any], index: int, random: Random) -> None:
    match random.randrange(4):
        case 0:
            del items[index]
        case 1:
            items.insert(index, copy.deepcopy(items[random.randrange(len(items))]))
        case 2:
            items.reverse()
        case _:
            items.clear()


def _other(value: Any, random: Random) -> Any:
    if type(value) is int and random.random() < 0.9:
        near = value + random.choice((-2, -1, 1, 2))
        other = random.choice((near, near, 2 * value, -value, *random.sample(INTEGERS, 3), *EXTREMES))
        return min(max(other, EXTREMES[-1]), EXTREMES[-2])
    if isinstance(value, bytes) and random.random() < 0.9:
        return mutate_bytes(value, random)
    return random.choice((0, -1, 2**40, 1.5, float("nan"), True, None, "", "x", b"", bytes(20), [], [0], {}))
