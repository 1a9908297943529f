"""A worker process as an actor of Ray: it reports where it runs, and answers requests from a socket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import ray

from deepprove_dist.execution.cluster.file_cache import find_file, store_file
from deepprove_dist.execution.cluster.identity import Identity
from deepprove_dist.execution.group.executor import WorkerDescription
from deepprove_dist.execution.network.address import Address
from deepprove_dist.execution.network.connection import connect
from deepprove_dist.execution.workers.worker_process import WorkerProcess

_CONNECT_SECONDS = 30.0


@dataclass(frozen=True)
class ProcessReport:
    """What a process reports when it has started."""

    identity: Identity
    address: str
    node_id: str
    description: WorkerDescription
    peers: Address | None

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Orders processes by where they run."""
        return self.address, self.node_id, self.description.accelerators


class RayWorkerProcess(WorkerProcess):
    """To be wrapped by `ray.remote`; a plain class, so that it can be made without Ray as well."""

    def report(self, secret: bytes | None) -> ProcessReport:
        """Where this process runs, with which accelerators, and of which version it is.

        With the secret of the run, its ranks exchange values with those of other processes.
        """
        context = ray.get_runtime_context()
        accelerators = tuple(
            f"{kind} {id_}" for kind, ids in sorted(context.get_accelerator_ids().items()) for id_ in ids
        )
        address, node_id = ray.util.get_node_ip_address(), context.get_node_id()
        names = {node["NodeID"]: node["NodeManagerHostname"] for node in ray.nodes()}
        node = f"{names.get(node_id, 'node')} {address}"
        runs_on = WorkerDescription(node, self.context.threads, accelerators)
        peers = None if secret is None else self.serve_peers(address, secret)
        return ProcessReport(Identity.of_this_process(), address, node_id, runs_on, peers)

    def find_file(self, path: str, size: int, digest: bytes) -> bool:
        """Whether this machine has that file; then ranks find it by its digest."""
        local = find_file(Path(path), size, digest)
        if local is not None:
            self.context.files[digest] = local
        return local is not None

    def store_file(self, content: npt.NDArray[np.uint8], digest: bytes) -> None:
        """Stores a file on this machine. Raises OSError, or FormatError where it was changed on the way."""
        self.context.files[digest] = store_file(content.data, digest)

    def serve(self, address: Address, secret: bytes, number: int) -> None:
        """Answers the coordinator until it closes the connection.

        Ray ends this process when the coordinator is gone.
        """
        connection = connect(address, secret, number, _CONNECT_SECONDS)
        while True:
            try:
                message = connection.receive(None)
            except ConnectionError:
                self.close()
                return connection.close()
            connection.send(self.handle(message), None)
