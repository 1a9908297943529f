"""Ranks in processes that a launcher starts; the channel carries their calls.

A process has one rank at first, and more where the ranks of a lost one were moved to it. The group decides
what is replaced.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from deepprove_dist.errors import ExecutionError, PlacementError, WorkerLost
from deepprove_dist.execution.calls.messages import encode
from deepprove_dist.execution.group.executor import WorkerDescription
from deepprove_dist.execution.group.recovery_log import RecoveryLog
from deepprove_dist.execution.network.address import Address
from deepprove_dist.execution.network.heartbeat import SILENCE_SECONDS
from deepprove_dist.execution.processes.identity import Identity
from deepprove_dist.execution.processes.launcher import Launcher, Start
from deepprove_dist.execution.processes.process_report import ProcessReport, read_report
from deepprove_dist.execution.processes.socket_channel import SocketChannel
from deepprove_dist.execution.workers.worker import WorkerFactory
from deepprove_dist.execution.workers.worker_process import (
    FindFile,
    pack_message,
    read_presence,
    unpack_message,
)


class ProcessExecutor:
    """As many ranks as there are slots; with `peers` they may connect to each other.

    Raises PlacementError where there is no room for all. Raises ExecutionError where processes run another
    version of this package.
    """

    def __init__(
        self,
        launcher: Launcher,
        workers: int,
        worker: WorkerFactory,
        *,
        threads: int = 1,
        start_timeout: float = 60.0,
        replacement_timeout: float = 30.0,
        call_timeout: float = 600.0,
        silence: float = SILENCE_SECONDS,
        peers: bool = True,
        log: RecoveryLog | None = None,
    ) -> None:
        self._launcher, self._log = launcher, log or RecoveryLog()
        self._factory, self._threads = worker, threads
        self._call_timeout, self._replacement_timeout = call_timeout, replacement_timeout
        self._channel = SocketChannel(launcher, silence, self._log.metrics)
        self._peer_secret = secrets.token_bytes(32) if peers else None
        self._files: dict[bytes, Path] = {}
        self._alive: set[int] = set()
        self._reports: dict[int, ProcessReport] = {}
        self._prepared: dict[int, int] = {}
        self._without_room: dict[int, PlacementError] = {}
        self._started = 0
        try:
            processes = self._launch(range(workers), start_timeout)
        except BaseException:
            self.close()
            raise
        # By node and accelerator, not by arrival: the same cluster gets the same ranks again.
        self._slots = sorted(processes, key=lambda slot: self._reports[processes[slot]].sort_key)
        self._processes = [processes[slot] for slot in self._slots]

    @property
    def descriptions(self) -> tuple[WorkerDescription, ...]:
        """What each rank runs on, or ran on before it was lost."""
        return tuple(self._reports[process].description for process in self._processes)

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """All ranks of a process in one message; see Executor."""
        by_process: dict[int, dict[int, bytes]] = {}
        for rank, request in requests.items():
            by_process.setdefault(self._processes[rank], {})[rank] = request
        messages = {process: pack_message(calls) for process, calls in by_process.items()}
        answers: dict[int, bytes] = {}
        failures: dict[int, str] = {}
        for process, message in self._request(messages, failures).items():
            try:
                parts = unpack_message(message)
                answers.update({rank: parts[rank] for rank in by_process[process]})
            except (ValueError, KeyError):
                failures[process] = "its bytes are no answer"
                self._discard(process)
        if failures:
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
        """To machines that do not see it the launcher brings it, once to each; see Executor."""
        self._files[digest] = path.absolute()
        failures = self._provide(self._alive, digest)
        reasons = {
            rank: failures[process] for rank, process in enumerate(self._processes) if process in failures
        }
        if reasons:
            raise WorkerLost(reasons, {})

    def prepare(self, ranks: Collection[int]) -> None:
        """Starts a process for each of some lost ranks; see Executor.

        It ends where there is no room: a cluster that is full, or does not answer, is asked once.
        """
        for rank in ranks:
            self._discard(self._processes[rank])
        self._without_room.clear()
        # In the order in which they are replaced; a slot may have had several ranks.
        for slot in dict.fromkeys(self._slots[rank] for rank in sorted(ranks)):
            if slot in self._prepared:
                continue
            try:
                self._prepared[slot] = self._start(slot)
            except PlacementError as error:
                self._without_room[slot] = error
                return

    def replace(self, rank: int) -> None:
        """A new process in the slot of the old one; a slot whose machine is gone moves, if it can."""
        self._discard(self._processes[rank])
        slot = self._slots[rank]
        if (known := self._without_room.pop(slot, None)) is not None:
            raise known
        self._processes[rank] = self._launch([slot], self._replacement_timeout)[slot]
        self._forget_reports()

    def move(self, rank: int) -> None:
        """To the living process with the fewest ranks."""
        self._discard(self._processes[rank])
        slot = self._slots[rank]
        self._without_room.pop(slot, None)
        if (prepared := self._prepared.pop(slot, None)) is not None:
            self._discard(prepared)
        if not self._alive:
            self._start_reserve()
        self._processes[rank] = min(
            self._alive, key=lambda process: (self._processes.count(process), process)
        )
        self._forget_reports()

    def _forget_reports(self) -> None:
        """Forgets what processes said of themselves that are gone, and have no rank."""
        known = self._alive.union(self._processes)
        self._reports = {process: report for process, report in self._reports.items() if process in known}

    def _start_reserve(self) -> None:
        """A process on this machine: it takes the ranks of all others. Raises PlacementError."""
        slot = self._launcher.reserve_slot
        if slot is None:
            raise PlacementError(f"no worker is alive; {self._launcher.capacity()}")
        self._log.fall_back("no worker of the cluster is alive: one process of this machine takes all parts")
        self._launch([slot], self._replacement_timeout)

    def close(self) -> None:
        """Ends all processes and gives their slots back."""
        self._channel.close()
        self._launcher.close()

    def _launch(self, slots: Iterable[int], timeout: float) -> dict[int, int]:
        """Starts a process in each of some slots; their numbers by slot. Starts none or all of them."""
        processes: dict[int, int] = {}
        try:
            for slot in slots:
                prepared = self._prepared.pop(slot, None)
                processes[slot] = self._start(slot) if prepared is None else prepared
            self._await_reports(set(processes.values()), timeout)
            for digest in self._files:
                if failures := self._provide(set(processes.values()), digest):
                    raise PlacementError(f"workers started but were lost soon: {_listed(failures)}")
        except BaseException:
            for process in processes.values():
                self._discard(process)
            raise
        return processes

    def _start(self, slot: int) -> int:
        """Starts a process in a slot; its number."""
        number, channel = self._started, self._channel
        self._started += 1
        secrets_of_run = (channel.secret, self._peer_secret)
        start = Start(number, channel.address, *secrets_of_run, self._threads, self._factory)
        try:
            self._launcher.start(slot, start)
        except BaseException:
            self._discard(number)
            raise
        return number

    def _await_reports(self, processes: set[int], timeout: float) -> None:
        self._alive |= processes
        replies, identity = self._channel.attach(processes, timeout), Identity.of_this_process()
        if replies.failures:
            raise PlacementError(
                f"{len(replies.failures)} of {len(processes)} workers did not start "
                f"({_listed(replies.failures)}); {self._launcher.capacity()}"
            )
        for process, message in replies.answers.items():
            try:
                report = self._reports[process] = read_report(message)
            except ValueError as error:
                raise ExecutionError(
                    f"a worker runs another version of deepprove-dist than the coordinator, {identity}: "
                    "install the same wheel on every node"
                ) from error
            if report.identity != identity:
                raise ExecutionError(
                    f"{report.location.node} has deepprove-dist {report.identity}, "
                    f"the coordinator {identity}: install the same wheel on every node"
                )

    def _provide(self, processes: Collection[int], digest: bytes) -> dict[int, str]:
        """Makes a file available to some processes; why others were lost."""
        path, failures = self._files[digest], dict[int, str]()
        question = encode(FindFile(str(path), path.stat().st_size, digest))
        without = [
            process
            for process, answer in self._request(dict.fromkeys(processes, (question,)), failures).items()
            if not read_presence(answer)
        ]
        if without:
            stored = self._launcher.store(path, digest, without)
            for node, why in stored.in_memory.items():
                self._log.fall_back(
                    f"{node} cannot keep the model's file ({why}): its workers have it in their memory"
                )
            for process, why in stored.lost.items():
                failures[process] = why
                self._discard(process)
        return failures

    def _request(
        self, messages: Mapping[int, Sequence[bytes]], failures: dict[int, str]
    ) -> dict[int, bytes | bytearray]:
        """Answers of processes; adds why others gave none, and ends those."""
        alive = {process: message for process, message in messages.items() if process in self._alive}
        failures.update(dict.fromkeys(set(messages) - set(alive), "its process was lost before"))
        replies = self._channel.request(alive, self._call_timeout, self._discard)
        failures.update(replies.failures)
        return replies.answers

    def _discard(self, process: int) -> None:
        """Ends a process, whatever it is doing; nothing happens to one that is gone already."""
        self._channel.detach(process)
        self._alive.discard(process)
        self._launcher.end(process)


def _listed(failures: Mapping[int, str]) -> str:
    return "; ".join(sorted(set(failures.values())))
