"""Workers for one run of a program: started as the user asked for, and ended.

Ray is imported here and nowhere before: without workers nobody needs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from deepprove_dist.choices import require_number
from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.cluster.ray_authentication import choose_authentication
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.execution.workers.worker import WorkerFactory


@dataclass(frozen=True)
class ClusterOptions:
    """Workers on Ray.

    Attributes:
        config: how many workers, and what each needs.
        address: of a running cluster; without one the session that exists, RAY_ADDRESS, or a local cluster
            that is started and stopped.
        call_timeout: seconds after which a worker that does not answer counts as lost.

    Raises ChoiceError for a timeout that is not positive.
    """

    config: ScalingConfig
    address: str | None = None
    call_timeout: float = 600.0

    def __post_init__(self) -> None:
        require_number("call_timeout", self.call_timeout, positive=True)


@contextmanager
def open_worker_group(
    options: ClusterOptions, worker: WorkerFactory = create_worker
) -> Iterator[WorkerGroup]:
    """Starts workers, and ends them with the block.

    Raises PlacementError where the cluster has no room for them. Raises ExecutionError where Ray is not
    installed, or no cluster is at the address. The same where nodes have another version of this package.
    """
    address = options.address or os.environ.get("RAY_ADDRESS")
    choose_authentication(address)
    try:
        from deepprove_dist.execution.cluster.ray_executor import RayExecutor
        from deepprove_dist.execution.cluster.ray_session import ray_session
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise ExecutionError("workers need Ray: pip install 'deepprove-dist[ray]'") from error
    with ray_session(address, options.config):
        executor = RayExecutor(options.config, options.call_timeout, worker=worker)
        with closing(executor):
            yield WorkerGroup(executor)
