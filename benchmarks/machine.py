"""What a benchmark ran on: without it, its figures say little."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from deepprove_dist.cpu import default_threads

PACKAGES = ("deepprove-dist", "numpy", "onnx", "onnxruntime", "matplotlib", "ray", "torch", "ezkl")


def describe_machine() -> dict[str, Any]:
    """CPU, cores, memory, versions, threads, load and commit; None for what cannot be found out."""
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "system": platform.platform(),
        "architecture": platform.machine(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": default_threads(),
        "memory_bytes": total_memory(),
        # A machine that is busy with something else measures that, too.
        "load": list(os.getloadavg()),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": _commit(),
        "command": sys.argv,
    }


def total_memory() -> int | None:
    """Bytes of memory of the machine."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _cpu() -> str | None:
    if platform.system() == "Darwin":
        return _answer("sysctl", "-n", "machdep.cpu.brand_string")
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, None)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The checkout's commit, with a plus sign where it has changes; None outside a checkout."""
    root = str(Path(__file__).parents[1])
    commit = _answer("git", "-C", root, "rev-parse", "HEAD")
    changes = _answer("git", "-C", root, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+" if commit and changes else commit


def _answer(*command: str) -> str | None:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip()
