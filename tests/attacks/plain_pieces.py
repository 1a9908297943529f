"""Linear pieces as bytes, in plain Python: written, and read into values.

A piece is (length, bend, turn). It has `length` values. The first one is by `bend` above what the line before
would have there. The slope is by `turn` above the one before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def packed(*pieces: tuple[int, int, int]) -> bytes:
    """Pieces as bytes, whatever their numbers are."""
    return b"".join(
        _number(length) + _number(_counted(bend)) + _number(_counted(turn)) for length, bend, turn in pieces
    )


def pieces_of(values: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """The longest pieces of a function, one after the other."""
    start = line = slope = 0
    while start < len(values):
        step = values[start + 1] - values[start] if start + 1 < len(values) else 0
        end = start + 1
        while end < len(values) and values[end] == values[start] + step * (end - start):
            end += 1
        yield end - start, values[start] - line, step - slope
        line, slope, start = values[start] + step * (end - start), step, end


def values_of(data: bytes) -> list[int]:
    """The values of the function that these bytes stand for."""
    numbers = list(_numbers(data))
    values, slope = list[int](), 0
    for length, bend, turn in zip(*(numbers[k::3] for k in range(3)), strict=True):
        line = values[-1] + slope if values else 0
        slope += _signed(turn)
        values += [line + _signed(bend) + slope * k for k in range(length)]
    return values


def _number(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F)
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def _numbers(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number += (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0


def _counted(number: int) -> int:
    return 2 * number if number >= 0 else -2 * number - 1


def _signed(number: int) -> int:
    return -(number + 1 >> 1) if number % 2 else number >> 1
