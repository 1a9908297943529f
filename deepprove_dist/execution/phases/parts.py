"""Values of parts from several ranks, put together again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

V = TypeVar("V")


def by_part(answers: Sequence[Mapping[int, V]]) -> list[V]:
    """Values by part from several ranks, in the order of parts."""
    parts = {part: value for answer in answers for part, value in answer.items()}
    return [parts[part] for part in sorted(parts)]
