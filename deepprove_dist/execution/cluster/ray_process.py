"""A host as Ray's actor: it says where it runs, and takes calls from Ray or from a socket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import ray

from deepprove_dist.execution.cluster.connection import Address, connect
from deepprove_dist.execution.cluster.file_cache import find_file, store_file
from deepprove_dist.execution.cluster.identity import Identity
from deepprove_dist.execution.executor import WorkerDescription
from deepprove_dist.execution.worker_process import WorkerProcess

_CONNECT_SECONDS = 30.0


@dataclass(frozen=True)
class ProcessReport:
    """What a host says of itself when it has started."""

    identity: Identity
    address: str
    node_id: str
    description: WorkerDescription
    peers: Address | None

    @property
    def place(self) -> tuple[Any, ...]:
        """Orders hosts by where they run."""
        return self.address, self.node_id, self.description.accelerators


class RayWorkerProcess(WorkerProcess):
    """To be wrapped by `ray.remote`; a plain class, so that it can be made without Ray as well."""

    def report(self, secret: bytes | None) -> ProcessReport:
        """Where this process runs, with which accelerators, and of which version it is.

        With the secret of the run its ranks may share values with those of other processes.
        """
        context = ray.get_runtime_context()
        accelerators = tuple(
            f"{kind} {each}" for kind, ids in sorted(context.get_accelerator_ids().items()) for each in ids
        )
        address, node_id = ray.util.get_node_ip_address(), context.get_node_id()
        names = {node["NodeID"]: node["NodeManagerHostname"] for node in ray.nodes()}
        node = f"{names.get(node_id, 'node')} {address}"
        runs_on = WorkerDescription(node, self.threads, accelerators)
        peers = None if secret is None else self.meet(address, secret)
        return ProcessReport(Identity.own(), address, node_id, runs_on, peers)

    def find_file(self, path: str, size: int, digest: bytes) -> bool:
        """Whether this machine has that file; then ranks find it by its digest."""
        found = find_file(Path(path), size, digest)
        if found is not None:
            self.context.files[digest] = found
        return found is not None

    def store_file(self, content: npt.NDArray[np.uint8], digest: bytes) -> None:
        """Keeps a file on this machine. Raises OSError, or FormatError where it was changed on the way."""
        self.context.files[digest] = store_file(content.data, digest)

    def serve(self, address: Address, secret: bytes, number: int) -> None:
        """Answers the coordinator until it hangs up; Ray ends this process when the coordinator is gone."""
        connection = connect(address, secret, number, _CONNECT_SECONDS)
        while True:
            try:
                message = connection.receive(None)
            except ConnectionError:
                self.close()
                return connection.close()
            connection.send(self.handle(message), None)
