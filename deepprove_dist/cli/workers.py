"""Options that put the work on many machines, and the table of those that did it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.errors import ExecutionError

if TYPE_CHECKING:
    from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions
    from deepprove_dist.execution.group.worker_group import WorkerGroup


logger = logging.getLogger(__name__)


class Label(click.ParamType[tuple[str, str]]):
    """A node label and its value, "zone=a"."""

    name = "KEY=VALUE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """The pair that a text says."""
        if isinstance(value, tuple):
            return value[0], value[1]
        key, equals, wanted = str(value).partition("=")
        if not key or not equals or not wanted:
            self.fail(f"{value!r} is not of the form KEY=VALUE", param, ctx)
        return key, wanted


worker_options = sections.option_group(
    "Cluster",
    sections.option(
        "--workers",
        type=click.IntRange(1, 1024),
        metavar="N",
        help="Number of workers that share the work. A worker is one node's CPUs, or one accelerator. "
        "Default: everything runs in this process.",
    ),
    sections.option(
        "--local", is_flag=True, help="Workers are processes of this machine, also where RAY_ADDRESS is set."
    ),
    sections.option(
        "--address",
        metavar="HOST:PORT",
        help="The Ray cluster to use. Default: RAY_ADDRESS, or else processes of this machine.",
    ),
    options.count_option("--cpus-per-worker", "CPUs of each worker, and so its threads.", 1),
    sections.option(
        "--gpus-per-worker",
        type=click.FloatRange(min=0),
        metavar="N",
        default=0.0,
        show_default=True,
        help="Accelerators of each worker. The kernels of this release run on the CPUs of their node.",
    ),
    sections.option(
        "--accelerator-type",
        metavar="NAME",
        help="Accelerator that a worker's node must have, such as H100.",
    ),
    sections.option(
        "--node-label",
        "node_labels",
        type=Label(),
        multiple=True,
        help="Label that a worker's node must have. May be given several times.",
    ),
    options.duration_option(
        "--placement-timeout", "Time to wait until the cluster has room for all workers.", 60.0
    ),
    options.duration_option(
        "--call-timeout", "A worker that does not answer a call in this time is replaced.", 600.0
    ),
)
"""They arrive as the keyword arguments of `cluster_options`."""


def cluster_options(
    *,
    workers: int | None,
    local: bool,
    address: str | None,
    cpus_per_worker: int,
    gpus_per_worker: float,
    accelerator_type: str | None,
    node_labels: tuple[tuple[str, str], ...],
    placement_timeout: float,
    call_timeout: float,
) -> ClusterOptions | None:
    """What was asked for; None without `--workers`."""
    if workers is None:
        return None
    from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions
    from deepprove_dist.execution.cluster.scaling_config import ScalingConfig

    config = ScalingConfig(
        workers=workers,
        cpus_per_worker=cpus_per_worker,
        gpus_per_worker=gpus_per_worker,
        accelerator_type=accelerator_type,
        labels=dict(node_labels),
        placement_timeout=placement_timeout,
    )
    return ClusterOptions(config, address, call_timeout, local)


@contextmanager
def opened(wanted: ClusterOptions | None) -> Iterator[WorkerGroup | None]:
    """The group that was asked for, if one was."""
    if wanted is None:
        yield None
        return
    from deepprove_dist.execution.cluster.open_worker_group import open_worker_group

    with open_worker_group(wanted) as group:
        yield group


def recovery_report(group: WorkerGroup | None) -> dict[str, Any] | None:
    """Losses of workers and what was done about them; None without workers."""
    return None if group is None else group.recovery.report()


def worker_records(group: WorkerGroup | None) -> list[dict[str, Any]]:
    """A record for each worker: what it ran on, and the most memory that it held.

    Empty where workers are lost for good: then there is nobody to ask any more.
    """
    if group is None:
        return []
    from deepprove_dist.execution.phases.worker_api import peak_memory

    try:
        peaks = group.ask(peak_memory)
    except ExecutionError as error:
        logger.warning("the workers' memory is not known: %s", error)
        return []
    return [
        {
            "worker": rank,
            "node": runs_on.node,
            "threads": runs_on.threads,
            "accelerators": ", ".join(runs_on.accelerators) or None,
            "peak memory (MB)": round(peak / (1 << 20)),
        }
        for rank, (runs_on, peak) in enumerate(zip(group.descriptions, peaks, strict=True))
    ]
