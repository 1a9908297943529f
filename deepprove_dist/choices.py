"""Choices that a caller makes, checked where they enter: a misspelt one must never stand for another.

Every function returns nothing and raises ChoiceError, a ValueError, that names the choice, what was given
and all that is allowed.
"""

from __future__ import annotations

from collections.abc import Collection
from math import isfinite

from deepprove_dist.errors import ChoiceError


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


def require_kind(caller: str, value: object, kind: type, source: str) -> None:
    """Requires an object of a class; `source` says where the function `caller` gets one from."""
    if not isinstance(value, kind):
        raise ChoiceError(f"{caller} takes {source}, not {type(value).__name__}")
