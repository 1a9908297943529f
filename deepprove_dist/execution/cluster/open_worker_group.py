"""Workers for one run of a program: started as the user asked for, and ended.

Ray runs in a process of its own, and only where a cluster was named. Without one, workers are processes of
this machine.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from deepprove_dist.choices import require_number
from deepprove_dist.cpu import default_threads
from deepprove_dist.errors import ChoiceError, ExecutionError
from deepprove_dist.execution.cluster.ray_launcher import RayLauncher
from deepprove_dist.execution.cluster.ray_metrics import SentMetrics
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig, counted
from deepprove_dist.execution.group.recovery_log import RecoveryLog
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.execution.processes.launcher import Launcher
from deepprove_dist.execution.processes.local_launcher import LocalLauncher
from deepprove_dist.execution.processes.process_executor import ProcessExecutor
from deepprove_dist.execution.processes.reserve_launcher import ReserveLauncher
from deepprove_dist.execution.workers.worker import WorkerFactory
from deepprove_dist.metrics.sink import NO_METRICS, MetricSink, SeveralSinks

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClusterOptions:
    """Workers on a Ray cluster, or on this machine.

    Attributes:
        config: how many workers, and what each needs.
        address: of a running cluster; without one it is that of the session that exists, or RAY_ADDRESS.
            Where there is none of them, workers are processes of this machine.
        call_timeout: seconds after which a worker that does not answer counts as lost.
        local: workers are processes of this machine, whatever there is.

    Raises ChoiceError for a timeout that is not positive, and for local workers at an address.
    """

    config: ScalingConfig
    address: str | None = None
    call_timeout: float = 600.0
    local: bool = False

    def __post_init__(self) -> None:
        require_number("call_timeout", self.call_timeout, positive=True)
        if self.local and self.address is not None:
            raise ChoiceError("local workers have no address: leave one of the two out")
        _require_no_client(self.address)


@contextmanager
def open_worker_group(
    options: ClusterOptions, worker: WorkerFactory = create_worker, metrics: MetricSink = NO_METRICS
) -> Iterator[WorkerGroup]:
    """Starts workers, and ends them with the block. On a Ray cluster, its metrics have theirs too.

    Raises PlacementError where there is no room for them. Raises ExecutionError where Ray is not installed,
    or no cluster is at the address. The same where nodes have another version of this package. Raises
    ChoiceError where RAY_ADDRESS is an address of Ray Client.
    """
    config, launcher, sent = options.config, _launcher(options), None
    if isinstance(launcher, RayLauncher):
        sent = SentMetrics(launcher.record)
        launcher = ReserveLauncher(launcher, LocalLauncher())
        metrics = SeveralSinks((metrics, sent))
    log = RecoveryLog(metrics=metrics)
    executor = ProcessExecutor(
        launcher,
        config.workers,
        worker,
        threads=config.cpus_per_worker,
        start_timeout=config.placement_timeout,
        replacement_timeout=config.replacement_timeout,
        call_timeout=options.call_timeout,
        log=log,
    )
    with closing(executor):
        try:
            yield WorkerGroup(executor, log=log)
        finally:
            if sent is not None:
                sent.flush()


def _launcher(options: ClusterOptions) -> Launcher:
    config = options.config
    address = None if options.local else options.address or _session() or os.environ.get("RAY_ADDRESS")
    if address:
        _require_no_client(address)
        if importlib.util.find_spec("ray") is None:
            raise ExecutionError("a cluster needs Ray: pip install 'deepprove-dist[ray]'")
        return RayLauncher(address, config, options.call_timeout)
    if config.gpus_per_worker or config.accelerator_type or config.labels:
        raise ExecutionError(
            "accelerators and node labels need a Ray cluster; start one here with `ray start --head`, "
            "and pass its address"
        )
    threads, cores = config.workers * config.cpus_per_worker, default_threads()
    few = f", which has {counted(cores, 'CPU')} for {counted(threads, 'thread')}" if threads > cores else ""
    logger.info("starting %s on this machine%s", counted(config.workers, "worker"), few)
    return LocalLauncher()


def _require_no_client(address: str | None) -> None:
    if address is not None and "://" in address:
        raise ChoiceError(
            f"{address} is an address of Ray Client, which is not supported: give HOST:PORT, "
            "on a node of the cluster"
        )


def _session() -> str | None:
    """The address of the cluster that this process is connected to, if it is to one."""
    ray = sys.modules.get("ray")
    return str(ray.get_runtime_context().gcs_address) if ray is not None and ray.is_initialized() else None
