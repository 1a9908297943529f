"""A file of the coordinator's machine for nodes without it.

Ray's object store carries it once to each node. One process of the node stores it for all of them. Where the
node's disk cannot take it, each process there has it in its memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import ray

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.processes.launcher import Stored


def spread(content: bytes, digest: bytes, actors: Mapping[int, Any], nodes: Mapping[int, str]) -> Stored:
    """Brings a file to the actors of some processes, given with their nodes' names.

    Raises ExecutionError where a node cannot take it.
    """
    shared = ray.put(np.frombuffer(content, np.uint8))
    stored = Stored({}, {})
    firsts = {nodes[process]: process for process in actors}
    # The others find what the first one of their node has stored.
    for processes in (firsts.values(), actors.keys() - firsts.values()):
        calls = {process: actors[process].store_file.remote(shared, digest) for process in processes}
        _gather(calls, nodes, stored)
    return stored


def _gather(calls: Mapping[int, Any], nodes: Mapping[int, str], stored: Stored) -> None:
    for process, call in calls.items():
        try:
            if why := ray.get(call):
                stored.in_memory[nodes[process]] = why
        except ray.exceptions.RayTaskError as error:
            text = str(error).strip().splitlines()[-1]
            raise ExecutionError(f"{nodes[process]} cannot take the model's file: {text}") from error
        except ray.exceptions.RayError as error:
            stored.lost[process] = type(error).__name__
