"""The ranks of an executor, with a journal each: requests are answered, whatever happens to some ranks.

A rank's state is a function of the requests that it received. So every request that was answered is in the
rank's journal. A lost rank is started again, its journal is replayed there, and each answer is compared with
the first one's. Then the request that was under way is made again. Callers notice nothing but the time; the
log has a line for each replacement.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from deepprove_dist.errors import ExecutionError, PlacementError, WorkerError, WorkerLost
from deepprove_dist.execution.calls.requests import Gathered, Outcome
from deepprove_dist.execution.group.executor import Executor
from deepprove_dist.execution.group.failure_policy import Decision, FailurePolicy
from deepprove_dist.execution.group.gathered_call import GatheredCall
from deepprove_dist.execution.group.journal import Entry, Journal
from deepprove_dist.execution.group.recovery_log import Loss, RecoveryLog
from deepprove_dist.execution.group.rounds import count_bytes, traced_round

Request = TypeVar("Request")


class JournaledRanks:
    """Requests to some ranks, until all have answered; raises ExecutionError where lost ones stay lost.

    Attributes:
        outcomes: of the request under way, by rank. It is in no journal yet, so it is lost with its rank.
        gathered: answers to an all-gather under way.
        log: what was lost, and what was done about it.
    """

    def __init__(
        self, executor: Executor, policy: FailurePolicy | None = None, log: RecoveryLog | None = None
    ) -> None:
        self.executor = executor
        self.journals = [Journal() for _ in executor.descriptions]
        self.outcomes: dict[int, Outcome] = {}
        self.gathered: dict[int, Gathered] = {}
        self.files: dict[bytes, Path] = {}
        self.log = log or RecoveryLog()
        self._policy = policy or FailurePolicy()
        self._requests = 0

    def node(self, rank: int) -> str:
        """The name of the node that a rank runs on."""
        return self.executor.descriptions[rank].node

    def distribute(self, path: Path, digest: bytes) -> None:
        """Makes a file of this machine available to all ranks, by its digest. Raises OSError."""
        self.files[digest] = path
        while True:
            try:
                return self.executor.distribute(path, digest)
            except WorkerLost as lost:
                self.recover(lost.reasons)

    def complete(self, name: str, requests: Mapping[int, bytes]) -> None:
        """Makes requests until all their ranks have an outcome; `name` is for traces."""
        while missing := self.unanswered(requests):
            self.attempt(name, missing)

    def unanswered(self, requests: Mapping[int, Request]) -> dict[int, Request]:
        """The requests that have to be made, or made again."""
        return {rank: request for rank, request in requests.items() if rank not in self.outcomes}

    def attempt(self, name: str, requests: Mapping[int, bytes]) -> None:
        """Makes requests once; ranks that are lost are started again."""
        outcomes, lost = self.call(name, requests)
        self.outcomes.update(outcomes)
        self.recover(lost)

    def call(self, name: str, requests: Mapping[int, bytes]) -> tuple[dict[int, Outcome], dict[int, str]]:
        """Makes requests once; the outcomes, and why other ranks were lost."""
        lost: dict[int, str] = {}
        with traced_round(name, requests) as result:
            try:
                result.add(self.executor.call(requests))
            except WorkerLost as error:
                result.add(error.answers)
                lost = {rank: f"{why}, in '{name}'" for rank, why in error.reasons.items()}
        count_bytes(self.log.metrics, requests, result)
        return {rank: answer.outcome for rank, answer in result.answers.items()}, lost

    def record(self, method: str, requests: Mapping[int, bytes | GatheredCall]) -> dict[int, Outcome]:
        """Writes the requests under way into the journals; their outcomes, in the order of ranks."""
        outcomes, self.outcomes = self.outcomes, {}
        # Before outcomes are looked at: an audit has to see errors, and bytes that are no answer.
        for rank, request in requests.items():
            self.journals[rank].add(self._requests, method, request, outcomes[rank])
        self._requests += 1
        return {rank: outcomes[rank] for rank in sorted(outcomes)}

    def error(self, rank: int, method: str, error: Exception) -> WorkerError:
        """The error of a rank's answer, with its number and node."""
        return WorkerError(f"worker {rank} on {self.node(rank)}, method '{method}': {error}")

    def encoded(self, request: bytes | GatheredCall) -> bytes:
        """A request with all published values in it; ranks may have to be started again for them."""
        while isinstance(request, GatheredCall):
            try:
                return request.with_values(self._get_published)
            except WorkerLost as lost:
                self.recover(lost.reasons)
        return request

    def recover(self, reasons: Mapping[int, str]) -> None:
        """Gives these ranks their states again: the requests of their journals are made once more.

        The earliest request comes first: a rank may use what others, lost too perhaps, published before.
        """
        waiting: dict[int, deque[Entry]] = {}
        with self.log.replay() as losses:
            while True:
                if len(reasons) > 1:
                    self.executor.prepare(reasons.keys())
                for rank, reason in sorted(reasons.items()):
                    losses[rank] = self._replace(rank, reason)
                    waiting[rank] = deque(self.journals[rank].entries)
                heads = {rank: entries[0] for rank, entries in waiting.items() if entries}
                if not heads:
                    return
                number = min(head.number for head in heads.values())
                entries = {rank: head for rank, head in heads.items() if head.number == number}
                repeated, reasons = self._repeat(entries)
                for rank in repeated:
                    waiting[rank].popleft()
                    losses[rank].replayed_calls += 1

    def _replace(self, rank: int, reason: str) -> Loss:
        """Starts a rank again with an empty state, where the failure policy says."""
        self.outcomes.pop(rank, None)
        self.gathered.pop(rank, None)
        node, decision = self.node(rank), self._policy.lost(rank)
        budget = self._policy.budget_left(rank)
        loss = self.log.lose(rank, node, reason, budget)
        if decision is Decision.RAISE:
            self.log.give_up(loss)
            raise ExecutionError(f"worker {rank} was lost too often, the last time by: {reason}")
        if decision is Decision.RETRY:
            try:
                self.executor.replace(rank)
            except PlacementError as error:
                self._policy.unplaced()
                self.log.fall_back(f"no place for a new worker {rank}: {error}")
            else:
                self.log.recovered(loss, "replaced", self.node(rank), budget)
                return loss
        self.executor.move(rank)
        self.log.recovered(loss, "moved", self.node(rank), budget)
        return loss

    def _repeat(self, entries: Mapping[int, Entry]) -> tuple[list[int], dict[int, str]]:
        """Makes a request again: ranks that answered as before, and why others did not."""
        requests = {id(entry.request): entry.request for entry in entries.values()}
        try:
            encoded = {
                key: request.with_values(self._get_published)
                if isinstance(request, GatheredCall)
                else request
                for key, request in requests.items()
            }
        except WorkerLost as lost:
            return [], lost.reasons
        method = next(iter(entries.values())).method
        outcomes, failed = self.call(
            f"replay of {method}", {r: encoded[id(entry.request)] for r, entry in entries.items()}
        )
        for rank, outcome in outcomes.items():
            if not entries[rank].agrees(outcome):
                failed[rank] = f"{_describe(outcome)} to '{method}' than before it was replaced"
        return [rank for rank in entries if rank not in failed], failed

    def _get_published(self, requests: Mapping[int, bytes]) -> Mapping[int, Outcome]:
        outcomes, lost = self.call("published values", requests)
        if lost:
            raise WorkerLost(lost, {})
        return outcomes


def _describe(outcome: Outcome) -> str:
    try:
        outcome.require()
    except WorkerError as error:
        return f"another answer ({error})"
    return "another answer"
