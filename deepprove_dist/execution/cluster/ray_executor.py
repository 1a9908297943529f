"""Workers as Ray actors: Ray places, starts and watches them; a channel carries the calls.

Every actor is a process that holds ranks, at first one. `max_restarts=0`: a restarted actor has lost its
state, and Ray reports a death at once only where it need not restart. The group decides what is replaced.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ray
from ray.util import remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from deepprove_dist.errors import ExecutionError, PlacementError, WorkerLost
from deepprove_dist.execution.cluster.identity import Identity
from deepprove_dist.execution.cluster.ray_files import spread
from deepprove_dist.execution.cluster.ray_placement import describe_capacity, reserve
from deepprove_dist.execution.cluster.ray_process import ProcessReport, RayWorkerProcess
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.execution.cluster.socket_channel import SocketChannel
from deepprove_dist.execution.group.executor import WorkerDescription
from deepprove_dist.execution.network.address import Address
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.execution.workers.worker import WorkerFactory
from deepprove_dist.execution.workers.worker_process import pack_message, unpack_message


class RayExecutor:
    """Ranks in actors of the Ray session that is initialised; with `peers` they may connect to each other.

    Raises PlacementError where the cluster has no room for all workers. Raises ExecutionError where they run
    another version of this package.
    """

    def __init__(
        self,
        config: ScalingConfig,
        call_timeout: float = 600.0,
        worker: WorkerFactory = create_worker,
        peers: bool = True,
    ) -> None:
        self._config = config
        self._timeout = call_timeout
        self._factory = worker
        self._group = reserve(config)
        self._channel = SocketChannel(ray.util.get_node_ip_address())
        self._secret = secrets.token_bytes(32) if peers else None
        self._files: dict[bytes, Path] = {}
        self._actors: dict[int, Any] = {}
        self._reports: dict[int, ProcessReport] = {}
        try:
            bundles = self._launch(range(config.workers), config.placement_timeout)
        except BaseException:
            self.close()
            raise
        # By node and accelerator, not by arrival: the same cluster gets the same ranks again.
        self._bundles = sorted(bundles, key=lambda bundle: self._reports[bundles[bundle]].sort_key)
        self._processes = [bundles[bundle] for bundle in self._bundles]

    @property
    def descriptions(self) -> tuple[WorkerDescription, ...]:
        """What each rank runs on, or ran on before it was lost."""
        return tuple(self._reports[process].description for process in self._processes)

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """All ranks of a process in one message; see Executor."""
        by_process: dict[int, dict[int, bytes]] = {}
        for rank, request in requests.items():
            by_process.setdefault(self._processes[rank], {})[rank] = request
        alive = {
            process: pack_message(calls) for process, calls in by_process.items() if process in self._actors
        }
        replies = self._channel.request(alive, self._timeout)
        failures = (
            dict.fromkeys(set(by_process) - set(alive), "its process was lost before") | replies.failures
        )
        answers: dict[int, bytes] = {}
        for process, message in replies.answers.items():
            try:
                parts = unpack_message(message)
                answers.update({rank: parts[rank] for rank in by_process[process]})
            except (ValueError, KeyError):
                failures[process] = "its bytes are no answer"
        if failures:
            for process in failures:
                self._discard(process)
            reasons = {rank: why for process, why in failures.items() for rank in by_process[process]}
            raise WorkerLost(reasons, answers)
        return answers

    @property
    def peers(self) -> Mapping[int, Address] | None:
        """Addresses of processes, also of those that were lost."""
        reported = {rank: self._reports[process].peers for rank, process in enumerate(self._processes)}
        known = {rank: address for rank, address in reported.items() if address is not None}
        return known if len(known) == len(reported) else None

    def distribute(self, path: Path, digest: bytes) -> None:
        """To nodes that do not have it by way of Ray's object store, once to each; see Executor."""
        self._files[digest] = path.absolute()
        failures = self._provide(list(self._actors), digest)
        for process in failures:
            self._discard(process)
        reasons = {
            rank: failures[process] for rank, process in enumerate(self._processes) if process in failures
        }
        if reasons:
            raise WorkerLost(reasons, {})

    def replace(self, rank: int) -> None:
        """A new actor in the bundle of the old one; Ray moves a bundle whose node is gone, if it can."""
        self._discard(self._processes[rank])
        bundle = self._bundles[rank]
        self._processes[rank] = self._launch([bundle], self._config.replacement_timeout)[bundle]

    def move(self, rank: int) -> None:
        """To the living process with the fewest ranks."""
        self._discard(self._processes[rank])
        if not self._actors:
            raise PlacementError(f"no worker is alive; {describe_capacity(self._config, ray.nodes())}")
        self._processes[rank] = min(
            self._actors, key=lambda process: (self._processes.count(process), process)
        )

    def close(self) -> None:
        """Ends all actors and gives their places back."""
        self._channel.close()
        for process in list(self._actors):
            self._discard(process)
        remove_placement_group(self._group)

    def _launch(self, bundles: Iterable[int], timeout: float) -> dict[int, int]:
        """Starts a process in each of some bundles; their numbers by bundle. Starts none or all of them."""
        processes = {bundle: len(self._reports) + index for index, bundle in enumerate(bundles)}
        for bundle, process in processes.items():
            self._actors[process] = self._start(bundle)
        try:
            reports = self._await_reports(list(processes.values()), timeout)
            self._reports.update(reports)
            actors = {process: self._actors[process] for process in processes.values()}
            if failures := self._channel.attach(actors, timeout):
                raise PlacementError(f"workers started but cannot be reached: {_listed(failures)}")
            for digest in self._files:
                if failures := self._provide(list(reports), digest):
                    raise PlacementError(f"workers started but were lost soon: {_listed(failures)}")
        except BaseException:
            for process in processes.values():
                self._discard(process)
            raise
        return processes

    def _start(self, bundle: int) -> Any:
        config = self._config
        strategy = PlacementGroupSchedulingStrategy(self._group, placement_group_bundle_index=bundle)
        actor = ray.remote(RayWorkerProcess).options(
            num_cpus=config.cpus_per_worker,
            num_gpus=config.gpus_per_worker,
            resources=config.accelerator_resources,
            scheduling_strategy=strategy,
            max_restarts=0,
            # One call serves for as long as the actor lives, and files come meanwhile.
            max_concurrency=2,
        )
        return actor.remote(config.cpus_per_worker, self._factory)

    def _await_reports(self, processes: list[int], timeout: float) -> dict[int, ProcessReport]:
        calls = {self._actors[process].report.remote(self._secret): process for process in processes}
        done, late = ray.wait(list(calls), num_returns=len(calls), timeout=timeout)
        identity = Identity.of_this_process()
        reports: dict[int, ProcessReport] = {}
        for call in done:
            try:
                reports[calls[call]] = ray.get(call, timeout=timeout)
            except Exception as error:  # the worker's imports may raise anything
                reason = str(error).strip().splitlines()[-1]
                raise ExecutionError(
                    f"a worker did not start ({reason}); deepprove-dist, {identity}, has to be on every node"
                ) from error
        if late:
            raise PlacementError(
                f"{len(late)} of {len(calls)} workers did not start within {timeout:g} s; "
                f"{describe_capacity(self._config, ray.nodes())}"
            )
        for report in reports.values():
            if report.identity != identity:
                raise ExecutionError(
                    f"{report.description.node} has deepprove-dist {report.identity}, "
                    f"the coordinator {identity}: install the same wheel on every node"
                )
        return reports

    def _provide(self, processes: list[int], digest: bytes) -> dict[int, str]:
        """Makes a file available to some processes; why others were lost."""
        actors = {process: self._actors[process] for process in processes}
        nodes = {process: self._reports[process].description.node for process in processes}
        return spread(self._files[digest], digest, actors, nodes, self._timeout)

    def _discard(self, process: int) -> None:
        """Ends a process, whatever it is doing; nothing happens to one that is gone already."""
        self._channel.detach(process)
        actor = self._actors.pop(process, None)
        if actor is not None:
            ray.kill(actor)


def _listed(failures: Mapping[int, str]) -> str:
    return "; ".join(f"{process}: {why}" for process, why in sorted(failures.items()))
