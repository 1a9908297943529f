"""The service as an application of Ray Serve: a gateway for HTTP, and provers with their groups of workers.

Both go on when whoever started them has ended. Serve restarts a prover that dies, which loads its keys
again. Jobs are in the store, from which provers take them: so a prover's death loses none. Gateway and
provers run on the node that has the keys: that node alone counts the proofs of hiding keys. Workers are
anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ray
from fastapi import FastAPI
from ray import serve

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.cluster.ray_metrics import RayMetrics
from deepprove_dist.job_logging import JsonFormatter
from deepprove_dist.memory import keep_free_memory
from deepprove_dist.service.application import create_application
from deepprove_dist.service.events import log_event
from deepprove_dist.service.metrics import counting
from deepprove_dist.service.ray_draining import LeavingNodes
from deepprove_dist.service.ray_scaling import QUEUED, runners_for_queue
from deepprove_dist.service.settings import ServiceParts, ServiceSettings

APPLICATION, GATEWAY, PROVER = "deepprove-dist", "gateway", "prover"
NODE_SHARE = 0.001
"""Of the node's own resource, which ties a replica to it."""

MAX_ONGOING, MAX_QUEUED, MAX_GATEWAYS = 200, 1000, 4
"""Requests that a gateway serves at once, those that wait for one, and gateways. Waiting for a job is one."""

_STOP_SECONDS = 15.0


class GatewayReplica:
    """Answers HTTP; to be wrapped by Serve."""

    def __init__(self, settings: ServiceSettings, prover: Any) -> None:
        log_as_json()
        self._parts = ServiceParts.open(settings)
        self._prover = prover
        self._jobs = self._parts.jobs(self._wake, counting(RayMetrics(), log_event))

    def __serve_build_asgi_app__(self) -> FastAPI:
        """What Serve calls once this replica is made."""
        return create_application(self._jobs, self._parts.clients)

    def _wake(self) -> None:
        """Tells a prover; if that is lost, it looks for the job a quarter of a second later."""
        self._prover.wake.remote()


class ProverReplica:
    """Takes jobs from the store; to be wrapped by Serve."""

    def __init__(self, settings: ServiceSettings) -> None:
        keep_free_memory()
        log_as_json()
        self._settings, parts = settings, ServiceParts.open(settings)
        self._store = parts.store
        self._leaving = LeavingNodes(ray.get_runtime_context())
        # Metrics of workers come from the process that has them.
        observe = counting(RayMetrics(), log_event)
        self._runner = parts.runner(observe, leaving=lambda: self._leaving.addresses)
        self._leaving.start(self._runner.begin_drain)
        self._runner.start()

    def wake(self) -> None:
        """There is a new job."""
        self._runner.wake()

    def check_health(self) -> None:
        """Raises where nothing takes jobs any more: Serve replaces this replica then."""
        if not self._runner.alive:
            raise ExecutionError("the runner has ended")

    def record_autoscaling_stats(self) -> Mapping[str, float]:
        """What the number of provers follows from."""
        counts = self._store.counts()
        return {QUEUED: float(counts["queued"] + counts["running"])}

    def __del__(self) -> None:
        """Serve calls this before it ends the replica: the proof in progress is finished."""
        self._leaving.stop()
        self._runner.drain(self._settings.drain_seconds)


def create_serve_application(settings: ServiceSettings, node: str, runners: tuple[int, int]) -> Any:
    """The application, for `serve.run`.

    `node` is the address of the node that has the keys. `runners` are the least and the largest number of
    provers.
    """
    tied = {f"node:{node}": NODE_SHARE}
    cluster = settings.cluster
    # Its replicas belong to the cluster: their session says its address. A prover has as many threads as CPUs
    # that it reserves.
    cluster = None if cluster is None else replace(cluster, address=None)
    settings = replace(settings, cluster=cluster, threads=settings.threads or 1)
    prover = serve.deployment(
        ProverReplica,
        name=PROVER,
        ray_actor_options={"num_cpus": settings.threads, "resources": tied},
        max_ongoing_requests=MAX_ONGOING,
        graceful_shutdown_timeout_s=settings.drain_seconds + _STOP_SECONDS,
        health_check_period_s=5,
        **_replicas(*runners),
    ).bind(settings)
    return serve.deployment(
        serve.ingress()(GatewayReplica),
        name=GATEWAY,
        ray_actor_options={"num_cpus": 0, "resources": tied},
        max_ongoing_requests=MAX_ONGOING,
        max_queued_requests=MAX_QUEUED,
        autoscaling_config={
            "min_replicas": 1,
            "max_replicas": MAX_GATEWAYS,
            "target_ongoing_requests": MAX_ONGOING / 2,
        },
    ).bind(settings, prover)


def log_as_json() -> None:
    """Writes this package's log to the replica's standard error: a line of JSON each."""
    logger, handler = logging.getLogger("deepprove_dist"), logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def _replicas(least: int, most: int) -> dict[str, Any]:
    if least == most:
        return {"num_replicas": least}
    policy = {"policy_function": runners_for_queue}
    return {"autoscaling_config": {"min_replicas": least, "max_replicas": most, "policy": policy}}
