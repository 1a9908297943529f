"""Workers as Ray actors: Ray places, starts and watches them; a channel carries the calls.

Every actor is a host of ranks, by default of one. `max_restarts=0`: a restarted actor has lost its state, and
Ray sees a death at once only where it need not restart; starting anew is the group's decision.
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
from deepprove_dist.execution.cluster.channel import Channel
from deepprove_dist.execution.cluster.connection import Address
from deepprove_dist.execution.cluster.identity import Identity
from deepprove_dist.execution.cluster.ray_files import spread
from deepprove_dist.execution.cluster.ray_placement import offer, reserve
from deepprove_dist.execution.cluster.ray_process import ProcessReport, RayWorkerProcess
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.execution.cluster.socket_channel import SocketChannel
from deepprove_dist.execution.executor import WorkerDescription
from deepprove_dist.execution.worker import WorkerFactory
from deepprove_dist.execution.worker_api import KeyWorker
from deepprove_dist.execution.worker_process import pack_message, unpack_message


class RayExecutor:
    """Ranks in actors of the Ray session that is initialised; with `peers` they may connect to each other.

    Raises PlacementError where the cluster has no place for all workers, and ExecutionError where they run
    another version of this package.
    """

    def __init__(
        self,
        config: ScalingConfig,
        call_timeout: float = 600.0,
        channel: Channel | None = None,
        worker: WorkerFactory = KeyWorker,
        peers: bool = True,
    ) -> None:
        self._config = config
        self._timeout = call_timeout
        self._factory = worker
        self._group = reserve(config)
        self._channel: Channel = channel or SocketChannel(ray.util.get_node_ip_address())
        self._secret = secrets.token_bytes(32) if peers else None
        self._files: dict[bytes, Path] = {}
        self._actors: dict[int, Any] = {}
        self._reports: dict[int, ProcessReport] = {}
        try:
            bundles = self._launch(range(config.workers), config.placement_timeout)
        except BaseException:
            self.close()
            raise
        # By node and accelerator, not by who came first: the same cluster deals the same ranks again.
        self._bundles = sorted(bundles, key=lambda bundle: self._reports[bundles[bundle]].place)
        self._hosts = [bundles[bundle] for bundle in self._bundles]

    @property
    def descriptions(self) -> tuple[WorkerDescription, ...]:
        """What each rank runs on, or ran on before it was lost."""
        return tuple(self._reports[host].description for host in self._hosts)

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """All ranks of a host in one message; see Executor."""
        by_host: dict[int, dict[int, bytes]] = {}
        for rank, request in requests.items():
            by_host.setdefault(self._hosts[rank], {})[rank] = request
        alive = {host: pack_message(calls) for host, calls in by_host.items() if host in self._actors}
        exchange = self._channel.exchange(alive, self._timeout)
        failures = dict.fromkeys(set(by_host) - set(alive), "its host was lost before") | exchange.failures
        answers: dict[int, bytes] = {}
        for host, message in exchange.answers.items():
            try:
                own = unpack_message(message)
                answers.update({rank: own[rank] for rank in by_host[host]})
            except (ValueError, KeyError):
                failures[host] = "an answer that is none"
        if failures:
            for host in failures:
                self._discard(host)
            reasons = {rank: why for host, why in failures.items() for rank in by_host[host]}
            raise WorkerLost(reasons, answers)
        return answers

    @property
    def peers(self) -> Mapping[int, Address] | None:
        """Addresses of hosts, also of those that were lost."""
        found = {rank: self._reports[host].peers for rank, host in enumerate(self._hosts)}
        known = {rank: address for rank, address in found.items() if address is not None}
        return known if len(known) == len(found) else None

    def distribute(self, path: Path, digest: bytes) -> None:
        """To nodes that do not have it by way of Ray's object store, once to each; see Executor."""
        self._files[digest] = path.absolute()
        failures = self._provide(list(self._actors), digest)
        for host in failures:
            self._discard(host)
        reasons = {rank: failures[host] for rank, host in enumerate(self._hosts) if host in failures}
        if reasons:
            raise WorkerLost(reasons, {})

    def replace(self, rank: int) -> None:
        """A new actor in the bundle of the old one; Ray moves a bundle whose node is gone, if it can."""
        self._discard(self._hosts[rank])
        bundle = self._bundles[rank]
        self._hosts[rank] = self._launch([bundle], self._config.replacement_timeout)[bundle]

    def move(self, rank: int) -> None:
        """To the living host with the fewest ranks."""
        self._discard(self._hosts[rank])
        if not self._actors:
            raise PlacementError(f"no worker is alive; {offer(self._config, ray.nodes())}")
        self._hosts[rank] = min(self._actors, key=lambda host: (self._hosts.count(host), host))

    def close(self) -> None:
        """Ends all actors and gives their places back."""
        self._channel.close()
        for host in list(self._actors):
            self._discard(host)
        remove_placement_group(self._group)

    def _launch(self, bundles: Iterable[int], timeout: float) -> dict[int, int]:
        """Starts a host in each of some bundles; their numbers by bundle. Starts none or all of them."""
        hosts = {bundle: len(self._reports) + index for index, bundle in enumerate(bundles)}
        for bundle, host in hosts.items():
            self._actors[host] = self._start(bundle)
        try:
            reports = self._await_reports(list(hosts.values()), timeout)
            self._reports.update(reports)
            actors = {host: self._actors[host] for host in hosts.values()}
            if failures := self._channel.attach(actors, timeout):
                raise PlacementError(f"workers started but cannot be reached: {_listed(failures)}")
            for digest in self._files:
                if failures := self._provide(list(reports), digest):
                    raise PlacementError(f"workers started but were lost soon: {_listed(failures)}")
        except BaseException:
            for host in hosts.values():
                self._discard(host)
            raise
        return hosts

    def _start(self, bundle: int) -> Any:
        config = self._config
        place = PlacementGroupSchedulingStrategy(self._group, placement_group_bundle_index=bundle)
        actor = ray.remote(RayWorkerProcess).options(
            num_cpus=config.cpus_per_worker,
            num_gpus=config.gpus_per_worker,
            resources=config.accelerator_resources,
            scheduling_strategy=place,
            max_restarts=0,
            # One call serves for as long as the actor lives, and files come meanwhile.
            max_concurrency=2,
        )
        return actor.remote(config.cpus_per_worker, self._factory)

    def _await_reports(self, hosts: list[int], timeout: float) -> dict[int, ProcessReport]:
        calls = {self._actors[host].report.remote(self._secret): host for host in hosts}
        done, late = ray.wait(list(calls), num_returns=len(calls), timeout=timeout)
        own = Identity.own()
        reports: dict[int, ProcessReport] = {}
        for call in done:
            try:
                reports[calls[call]] = ray.get(call, timeout=timeout)
            except Exception as error:  # the worker's imports may raise anything
                reason = str(error).strip().splitlines()[-1]
                raise ExecutionError(
                    f"a worker did not start ({reason}); deepprove-dist, {own}, has to be on every node"
                ) from error
        if late:
            raise PlacementError(
                f"{len(late)} of {len(calls)} workers did not start within {timeout:g} s; "
                f"{offer(self._config, ray.nodes())}"
            )
        for report in reports.values():
            if report.identity != own:
                raise ExecutionError(
                    f"{report.description.node} has deepprove-dist {report.identity}, the coordinator {own}: "
                    "install the same wheel on every node"
                )
        return reports

    def _provide(self, hosts: list[int], digest: bytes) -> dict[int, str]:
        """Makes a file available to some hosts; those that were lost, with why."""
        actors = {host: self._actors[host] for host in hosts}
        nodes = {host: self._reports[host].description.node for host in hosts}
        return spread(self._files[digest], digest, actors, nodes, self._timeout)

    def _discard(self, host: int) -> None:
        """Ends a host, whatever it is doing; a host that is gone already is none of our business."""
        self._channel.detach(host)
        actor = self._actors.pop(host, None)
        if actor is not None:
            ray.kill(actor)


def _listed(failures: Mapping[int, str]) -> str:
    return "; ".join(f"{host}: {why}" for host, why in sorted(failures.items()))
