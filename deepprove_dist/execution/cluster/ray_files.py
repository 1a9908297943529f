"""A file of the coordinator's machine for nodes without it.

Ray's object store carries it once to each node. One process of the node stores it for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import ray

from deepprove_dist.errors import ExecutionError


def spread(
    content: bytes, digest: bytes, actors: Mapping[int, Any], nodes: Mapping[int, str]
) -> dict[int, str]:
    """Brings a file to the actors of some processes, given with their nodes' names.

    Returns processes that were lost meanwhile, with why. Raises ExecutionError where a node cannot store it.
    """
    shared = ray.put(np.frombuffer(content, np.uint8))
    calls = {process: actor.store_file.remote(shared, digest) for process, actor in actors.items()}
    failures: dict[int, str] = {}
    for process, call in calls.items():
        try:
            ray.get(call)
        except ray.exceptions.RayTaskError as error:
            why = str(error).strip().splitlines()[-1]
            raise ExecutionError(f"{nodes[process]} cannot store the model's file: {why}") from error
        except ray.exceptions.RayError as error:
            failures[process] = type(error).__name__
    return failures
