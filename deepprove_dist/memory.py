"""The process's memory: the most it has held, what it may hold, and giving back what is free.

Two allocators share the process. What numpy and onnxruntime free stays with the C library, and the kernels,
which have their own, cannot use it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from deepprove_dist.choices import require_count

SHARE = 0.8
"""Of the machine's memory, where nothing is asked for: the system and its file cache need some, too."""

MOST_BYTES = 1 << 60

CONTAINER_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Of both versions of control groups; "max" is no limit."""


_INHERITED_PEAK = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
"""When this module was loaded: this process's, or a parent's, which Linux hands down to a program."""

_KEPT_BYTES, _OLD_KEPT_BYTES, _MOST_KEPT_BYTES = 1 << 30, 1 << 25, (1 << 31) - 1
"""Blocks up to the first size come from the heap, or the second with an old glibc. The third may stay
free.
"""
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Options of glibc's `mallopt`."""


def peak_rss_bytes() -> int:
    """The most memory that this process has held.

    What `getrusage` says may be a parent's peak, unless it has grown. The file of the process, which takes
    longer to read, has the right one.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.platform == "darwin":
        return peak
    if peak > _INHERITED_PEAK:
        return 1024 * peak
    with suppress(OSError):
        lines = Path("/proc/self/status").read_text().splitlines()
        for line in lines:
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    return 1024 * peak


@cache
def machine_bytes() -> int:
    """The memory of this machine, or of the container that the process is in, if that has less: read once."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in CONTAINER_LIMITS:
        with suppress(OSError, ValueError):
            sizes.append(int(Path(path).read_text(encoding="ascii")))
    return min(sizes)


def memory_limit(asked: int | None = None) -> int:
    """Bytes that a proof may take: those that were asked for, or SHARE of the machine's.

    Raises ChoiceError for a number below 1.
    """
    if asked is None:
        return int(SHARE * machine_bytes())
    require_count("memory", asked, 1, MOST_BYTES)
    return asked


def release_free_memory() -> None:
    """Returns freed memory to the system; does nothing where the C library has no such call (glibc has)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def keep_free_memory() -> None:
    """Lets this process keep what it frees; does nothing where the C library cannot (glibc can).

    By default glibc returns large blocks at once, and each proof faults the same pages in again. To be called
    before threads start: they share one heap from then on, since the heaps of threads give way too.
    `release_free_memory` returns what is free all the same.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _MOST_KEPT_BYTES)
        # The first call ends glibc's own choice, so a size that it refuses must not be the last word.
        if not mallopt(_MMAP_THRESHOLD, _KEPT_BYTES):
            mallopt(_MMAP_THRESHOLD, _OLD_KEPT_BYTES)
        mallopt(_ARENA_MAX, 1)
