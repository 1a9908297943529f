"""The process's memory: the most it has held, and giving back what is free.

Two allocators share the process. What numpy and onnxruntime free stays with the C library, and the kernels,
which have their own, cannot use it.
"""

from __future__ import annotations

import ctypes
import resource
import sys
from contextlib import suppress
from pathlib import Path


def peak_rss_bytes() -> int:
    """The most memory that this process has held.

    Linux hands a parent's peak down to the program that a child starts, in what `getrusage` says. The file of
    the process does not have it.
    """
    with suppress(OSError):
        lines = Path("/proc/self/status").read_text().splitlines()
        for line in lines:
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def release_free_memory() -> None:
    """Returns freed memory to the system; does nothing where the C library has no such call (glibc has)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
