"""A file of the coordinator's machine for all nodes: a node without it gets it from Ray.

Ray's object store carries it once to each node. One process of the node stores it for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import ray

from deepprove_dist.errors import ExecutionError


def spread(
    path: Path, digest: bytes, actors: Mapping[int, Any], nodes: Mapping[int, str], timeout: float
) -> dict[int, str]:
    """Makes a file available to the actors of some processes, given with their nodes' names.

    Returns processes that were lost meanwhile, with why. Raises OSError where the file cannot be read, and
    ExecutionError where a node cannot store it.
    """
    size = path.stat().st_size

    def look(processes: Mapping[int, Any]) -> dict[int, Any]:
        """The processes that do not find the file."""
        calls = {
            process: actor.find_file.remote(str(path), size, digest) for process, actor in processes.items()
        }
        results, lost = _gather(calls, nodes, timeout)
        failures.update(lost)
        return {process: processes[process] for process, is_here in results.items() if not is_here}

    failures: dict[int, str] = {}
    if missing := look(actors):
        content = ray.put(np.fromfile(path, np.uint8))
        firsts = {nodes[process]: process for process in missing}
        calls = {process: missing[process].store_file.remote(content, digest) for process in firsts.values()}
        failures.update(_gather(calls, nodes, timeout)[1])
        for process in look(
            {process: missing[process] for process in missing if process not in firsts.values()}
        ):
            failures[process] = "the model's file was lost from its node"
    return failures


def _gather(
    calls: Mapping[int, Any], nodes: Mapping[int, str], timeout: float
) -> tuple[dict[int, Any], dict[int, str]]:
    """Results by process, and why other processes have none. Raises ExecutionError for a call that raised."""
    results: dict[int, Any] = {}
    failures: dict[int, str] = {}
    done, _ = ray.wait(list(calls.values()), num_returns=len(calls), timeout=timeout) if calls else ([], [])
    for process, call in calls.items():
        if call not in done:
            failures[process] = f"no answer within {timeout:g} s"
            continue
        try:
            results[process] = ray.get(call, timeout=timeout)
        except ray.exceptions.RayTaskError as error:
            why = str(error).strip().splitlines()[-1]
            raise ExecutionError(f"{nodes[process]} cannot store the model's file: {why}") from error
        except ray.exceptions.RayError as error:
            failures[process] = type(error).__name__
    return results, failures
