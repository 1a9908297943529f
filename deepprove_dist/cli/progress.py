"""Progress bars for long steps: on standard error, and only where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deepprove_dist.proving import Progress


@contextmanager
def progress_bars() -> Iterator[Progress | None]:
    """The callback that draws one bar for each step; None where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return

    from rich.console import Console
    from rich.progress import Progress as ProgressBars
    from rich.progress import TaskID

    with ProgressBars(console=Console(stderr=True), transient=True) as bars:
        steps: dict[str, TaskID] = {}

        def draw(step: str, share: float) -> None:
            if step not in steps:
                steps[step] = bars.add_task(step, total=1.0)
            bars.update(steps[step], completed=share)

        yield draw
