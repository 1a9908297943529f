"""Choices that a caller makes, checked where they enter: a misspelt one must never stand for another.

The errors say what was given and all that is allowed. A ChoiceError, which is a ValueError, is for values. A
KindError, which is a TypeError, is for objects of another class.
"""

from __future__ import annotations

from collections.abc import Collection
from math import isfinite
from os import PathLike
from pathlib import Path

from deepprove_dist.errors import ChoiceError, KindError


def require_choice(name: str, value: object, allowed: Collection[object]) -> None:
    """Requires one of some values, of the same type: 100.0 and True are no integers."""
    if not any(type(value) is type(choice) and value == choice for choice in allowed):
        raise ChoiceError(f"{name} is one of {', '.join(map(repr, allowed))}, not {value!r}")


def require_count(name: str, value: object, low: int = 1, high: int | None = None) -> None:
    """Requires an integer of at least `low`, and at most `high` if that is given."""
    number = value if isinstance(value, int) and not isinstance(value, bool) else low - 1
    if number < low or (high is not None and number > high):
        limits = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ChoiceError(f"{name} is an integer {limits}, not {value!r}")


def require_number(name: str, value: object, *, positive: bool) -> None:
    """Requires a finite number, above zero or at least zero."""
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else -1
    if not isfinite(number) or number < 0 or (positive and number == 0):
        raise ChoiceError(f"{name} is a number {'above' if positive else 'of at least'} 0, not {value!r}")


def require_kind(caller: str, value: object, kind: type | tuple[type, ...], wanted: str) -> None:
    """Requires an object of a class, or of one of several.

    `wanted` says in words what the function `caller` takes, and where one gets it from.

    Raises:
        KindError: naming all of that, and the class that was given.
    """
    if not isinstance(value, kind):
        raise KindError(f"{caller} takes {wanted}, not {type(value).__name__}")


def require_names(name: str, value: object) -> tuple[str, ...]:
    """The value as names, one or several. Raises KindError for anything but texts."""
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(item, str) for item in names):
        raise KindError(f"{name} takes names in a list, not {type(value).__name__}")
    return tuple(names)


def require_path(caller: str, value: object, wanted: str) -> Path:
    """The value as a path. Raises KindError for anything but a text or a path."""
    if not isinstance(value, (str, PathLike)):
        raise KindError(f"{caller} takes {wanted}, not {type(value).__name__}")
    return Path(value)
