"""Running on some of the machine's CPUs only: this process and all that it starts."""

from __future__ import annotations

import os
import sys


def restrict_to(threads: int) -> str | None:
    """Keeps this process on that many CPUs.

    Returns a warning where that cannot be: the system has no such call (macOS), or too few CPUs.
    """
    if not hasattr(os, "sched_setaffinity"):
        return f"{sys.platform} cannot restrict a process to CPUs: --num-threads has no effect"
    cpus = sorted(os.sched_getaffinity(0))
    if threads > len(cpus):
        return f"--num-threads {threads}: this process may use {len(cpus)} CPUs, and uses all of them"
    os.sched_setaffinity(0, cpus[:threads])
    return None
