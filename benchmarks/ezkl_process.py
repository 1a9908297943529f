"""EZKL's functions called in processes of their own, ended at a limit of time or memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.settings import EzklSettings
from deepprove_dist.errors import DeepProveError

MEGABYTE = 1 << 20


class StepFailed(DeepProveError):
    """A step of EZKL failed, or was ended by its limit; the text names the step."""


@dataclass(frozen=True)
class StepResult:
    """`milliseconds` of the call, `proof_ms` of proving alone where EZKL told, the process's peak memory."""

    milliseconds: float
    proof_ms: float | None
    peak_mb: float
    result: bool | None


def run_step(function: str, arguments: dict[str, Any], settings: EzklSettings, folder: Path) -> StepResult:
    """One EZKL function in a process of its own. Raises StepFailed."""
    request = {"function": function, "arguments": arguments, "memory": settings.memory_limit}
    command = [sys.executable, "-m", "benchmarks.ezkl_step"]
    # EZKL caches tables in the home folder unless told otherwise; a package beside bench.py must be found.
    environment = {
        **os.environ,
        "EZKL_REPO_PATH": str(folder.absolute()),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    try:
        run = subprocess.run(
            command,
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=settings.time_limit,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StepFailed(f"{function}: ended after its limit of {settings.time_limit:g} s") from error
    if run.returncode != 0:
        raise StepFailed(f"{function}: {_reason(run, settings.memory_limit)}")
    answer = json.loads(run.stdout.splitlines()[-1])
    peak_mb = answer["peak_bytes"] / MEGABYTE
    return StepResult(answer["milliseconds"], answer["proof_milliseconds"], peak_mb, answer["result"])


def _reason(run: subprocess.CompletedProcess[str], memory_limit: int | None) -> str:
    if "memory allocation of" in run.stderr or "MemoryError" in run.stderr:
        limit = "" if memory_limit is None else f", limit {memory_limit / (1 << 30):.1f} GB"
        return f"out of memory{limit}"
    if run.returncode < 0:
        return f"ended by signal {-run.returncode} (9: the system ran out of memory)"
    return next(reversed(run.stderr.strip().splitlines()), f"status {run.returncode}")
