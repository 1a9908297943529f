"""Progress bars for long steps: on standard error, and only where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Called with the name of the step and the share of it that is done, from 0 to 1.
ProgressCallback = Callable[[str, float], None]


@contextmanager
def progress_bars() -> Iterator[ProgressCallback | None]:
    """Gives the callback that draws one bar a step, or None where nobody would see them."""
    if not sys.stderr.isatty():
        yield None
        return

    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True) as bars:
        steps: dict[str, TaskID] = {}

        def draw(step: str, share: float) -> None:
            if step not in steps:
                steps[step] = bars.add_task(step, total=1.0)
            bars.update(steps[step], completed=share)

        yield draw
