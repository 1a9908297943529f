"""The memory that this machine, or the container around this process, has."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

USED_SHARE = 0.8
"""Of the memory, what keys may take by default: the rest is for requests and for the system."""

_CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def machine_memory_bytes() -> int:
    """Bytes of memory; the container's limit where it has one."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _CONTAINER_LIMITS:
        # Without a limit the file says "max", or is not there.
        with suppress(OSError, ValueError):
            limits.append(int(path.read_text()))
    return min(limits)


def default_limit_bytes() -> int:
    """Bytes that keys may take unless the operator says otherwise."""
    return int(USED_SHARE * machine_memory_bytes())
