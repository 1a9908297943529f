"""A file of the coordinator's machine for all nodes: who does not find it at home gets it from Ray.

Ray's object store carries it once to each node; one process of the node keeps it for all of them.
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
    """Makes a file available to the actors of some hosts, given with their nodes' names.

    Returns hosts that were lost meanwhile, with why. Raises OSError where the file cannot be read, and
    ExecutionError where a node cannot keep it.
    """
    size = path.stat().st_size

    def look(hosts: Mapping[int, Any]) -> dict[int, Any]:
        """The hosts that do not find the file."""
        calls = {host: actor.find_file.remote(str(path), size, digest) for host, actor in hosts.items()}
        found, lost = _gather(calls, nodes, timeout)
        failures.update(lost)
        return {host: hosts[host] for host, is_here in found.items() if not is_here}

    failures: dict[int, str] = {}
    if missing := look(actors):
        content = ray.put(np.fromfile(path, np.uint8))
        firsts = {nodes[host]: host for host in missing}
        calls = {host: missing[host].store_file.remote(content, digest) for host in firsts.values()}
        failures.update(_gather(calls, nodes, timeout)[1])
        for host in look({host: missing[host] for host in missing if host not in firsts.values()}):
            failures[host] = "the model's file was lost from its node"
    return failures


def _gather(
    calls: Mapping[int, Any], nodes: Mapping[int, str], timeout: float
) -> tuple[dict[int, Any], dict[int, str]]:
    """Results by host, and hosts without one, with why. Raises ExecutionError for a call that raised."""
    results: dict[int, Any] = {}
    failures: dict[int, str] = {}
    done, _ = ray.wait(list(calls.values()), num_returns=len(calls), timeout=timeout) if calls else ([], [])
    for host, call in calls.items():
        if call not in done:
            failures[host] = f"no answer within {timeout:g} s"
            continue
        try:
            results[host] = ray.get(call, timeout=timeout)
        except ray.exceptions.RayTaskError as error:
            why = str(error).strip().splitlines()[-1]
            raise ExecutionError(f"{nodes[host]} cannot keep the model's file: {why}") from error
        except ray.exceptions.RayError as error:
            failures[host] = type(error).__name__
    return results, failures
