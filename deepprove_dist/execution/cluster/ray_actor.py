"""A process of ranks as an actor of Ray."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
import ray

from deepprove_dist.execution.processes.launcher import Start
from deepprove_dist.execution.processes.process_report import Location
from deepprove_dist.execution.processes.serving import serve
from deepprove_dist.execution.workers.worker_process import WorkerProcess


class RayActor:
    """To be wrapped by `ray.remote`."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._process = WorkerProcess(start.threads, start.worker)

    def serve(self) -> None:
        """Answers the coordinator until it closes the connection; then the process ends."""
        start = self._start
        serve(
            *(self._process, start.number, _location()),
            *(start.coordinator, start.secret, start.peer_secret),
        )
        # Ray would keep it where its control is gone.
        os._exit(0)

    def store_file(self, content: npt.NDArray[np.uint8], digest: bytes) -> str:
        """See WorkerProcess."""
        return self._process.store_file(content.data, digest)


def _location() -> Location:
    context = ray.get_runtime_context()
    accelerators = tuple(
        f"{kind} {id_}" for kind, ids in sorted(context.get_accelerator_ids().items()) for id_ in ids
    )
    address, node_id = ray.util.get_node_ip_address(), context.get_node_id()
    names = {node["NodeID"]: node["NodeManagerHostname"] for node in ray.nodes()}
    return Location(address, f"{names.get(node_id, 'node')} {address}", node_id, accelerators)


def actor(**options: Any) -> Any:
    """What makes actors with these options: they are never restarted by Ray.

    A restarted actor has lost its state, and Ray reports a death at once only where it need not restart.
    """
    # One call serves for as long as the actor lives, and files come meanwhile.
    return ray.remote(RayActor).options(max_restarts=0, max_concurrency=2, **options)
