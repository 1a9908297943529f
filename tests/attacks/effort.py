"""A bound on the work that hostile bytes cause, in units that do not depend on the machine or its load."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from deepprove_dist.memory import peak_rss_bytes

MAX_STEPS = 6 << 20
"""Lines of Python; a line takes some 0.07 microseconds when nobody counts."""

MAX_BYTES = 200 << 20
"""Of memory, beyond what the process has held before."""


@contextmanager
def bounded_effort(steps: int = MAX_STEPS, held: int = MAX_BYTES) -> Iterator[None]:
    """Fails as soon as more than `steps` lines of Python are run. Each turn of a loop counts.

    Fails too where the process came to hold more than `held` bytes more than ever before.
    """
    taken = 0

    def count(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal taken
        taken += event == "line"
        assert taken <= steps, f"more than {steps} steps"
        return count

    before, peak = sys.gettrace(), peak_rss_bytes()
    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(before)
        grown = peak_rss_bytes() - peak
        assert grown <= held, f"{grown} bytes more were held"
