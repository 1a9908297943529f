"""A group of workers: the coordinator's calls to all ranks, or to some of them.

A method is named by its function, `group.call_all(gram, log_blocks=2)`, so that types are checked. What is
lost on the way is made good below this level (`JournaledRanks`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from deepprove_dist.errors import WorkerError
from deepprove_dist.execution.calls.messages import encode
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.calls.requests import (
    MethodCall,
    Outcome,
    Publish,
    Run,
    method_call,
)
from deepprove_dist.execution.group.all_gather import AllGatherer
from deepprove_dist.execution.group.assignment import Assignment, assign
from deepprove_dist.execution.group.executor import Executor, WorkerDescription
from deepprove_dist.execution.group.failure_policy import FailurePolicy
from deepprove_dist.execution.group.faulty_worker import FaultyWorker, first_wrong_answer
from deepprove_dist.execution.group.ranks import JournaledRanks
from deepprove_dist.execution.group.recovery_log import RecoveryLog
from deepprove_dist.metrics.catalog import ATTEMPTS, WORKER_PHASE_SECONDS
from deepprove_dist.timing import current_trace

P = ParamSpec("P")
R = TypeVar("R")
V = TypeVar("V")


class WorkerGroup:
    """Calls to ranks.

    Every call raises WorkerError where a worker answers with an error, and ExecutionError where lost workers
    cannot be replaced any more.
    """

    def __init__(
        self, executor: Executor, policy: FailurePolicy | None = None, log: RecoveryLog | None = None
    ) -> None:
        self.executor = executor
        self._ranks = JournaledRanks(executor, policy, log)
        self._all_gatherer = AllGatherer(self._ranks)
        self._deferred: dict[int, list[MethodCall]] = {}
        self._proofs = 0
        self.assignment = Assignment(0, ((),) * len(executor.descriptions), (1,) * len(executor.descriptions))

    @property
    def descriptions(self) -> tuple[WorkerDescription, ...]:
        """What each rank runs on now."""
        return self.executor.descriptions

    @property
    def recovery(self) -> RecoveryLog:
        """What went wrong so far, and what was done about it."""
        return self._ranks.log

    @property
    def ranks(self) -> range:
        """Those that calls to all go to: the ones that have parts."""
        return range(len(self.assignment.parts))

    def assign(self, max_log_parts: int) -> Assignment:
        """Assigns at most 2^max_log_parts parts; ranks without one get no calls from now on."""
        self.assignment = assign([runs_on.threads for runs_on in self.descriptions], max_log_parts)
        return self.assignment

    def call(self, calls: Mapping[int, Call[R]]) -> dict[int, R]:
        """Makes calls of one method to some ranks; results by rank, in their order."""
        if not calls:
            return {}
        name = next(iter(calls.values())).method.name
        requests = self._requests(calls)
        self._ranks.outcomes = {}
        self._ranks.complete(name, requests)
        outcomes = self._ranks.record(name, requests)
        return {rank: self._read(rank, calls[rank], outcome) for rank, outcome in outcomes.items()}

    def call_all(
        self, method: Callable[Concatenate[Any, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> list[R]:
        """Calls a method of all ranks with the same arguments; results in the order of ranks."""
        call = Call.to(method, *args, **kwargs)
        return list(self.call(dict.fromkeys(self.ranks, call)).values())

    def defer(self, calls: Mapping[int, Call[None]]) -> None:
        """Makes calls without a result: they go with the next call to each of these ranks.

        What is deferred within a proof, and never sent, is forgotten with it.
        """
        sent = {id(call): method_call(call) for call in calls.values()}
        for rank, call in calls.items():
            self._deferred.setdefault(rank, []).append(sent[id(call)])

    def defer_all(
        self, method: Callable[Concatenate[Any, P], None], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """The same call to all ranks."""
        self.defer(dict.fromkeys(self.ranks, Call.to(method, *args, **kwargs)))

    def all_gather(
        self,
        publish: Callable[[Any], V],
        use: Callable[Concatenate[Any, Sequence[V], P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> list[R]:
        """Calls `publish` of all ranks, then `use` with what all published as `shares`; results of `use`."""
        call = Call.with_shares(use, *args, **kwargs)
        number = self._all_gatherer.next_number()
        publishes = {
            rank: Publish(tuple(self._deferred.pop(rank, ())), publish.__name__, self._proofs, number)
            for rank in self.ranks
        }
        outcomes = self._all_gatherer.run(publishes, method_call(call))
        return [self._read(rank, call, outcome) for rank, outcome in outcomes.items()]

    def distribute(self, path: Path, digest: bytes) -> None:
        """Makes a file of this machine available to all ranks, by its digest. Raises OSError."""
        self._ranks.distribute(path, digest)

    def ask(self, method: Callable[[Any], R]) -> list[R]:
        """What all ranks say now of themselves: no part of their state, so it is in no journal."""
        call = Call.to(method)
        requests = dict.fromkeys(range(len(self.descriptions)), encode(Run((method_call(call),))))
        self._ranks.outcomes = {}
        self._ranks.complete(call.method.name, requests)
        return [self._read(rank, call, outcome) for rank, outcome in sorted(self._ranks.outcomes.items())]

    @contextmanager
    def proof(self) -> Iterator[None]:
        """Calls inside are forgotten at its end; those outside, which load keys, stay for a rank's life.

        So results inside may depend on the calls outside and on this proof's, never on an earlier proof's.
        """
        self._proofs += 1
        self.recovery.metrics.record(ATTEMPTS)
        for journal in self._ranks.journals:
            journal.begin()
        try:
            yield
        finally:
            self._deferred.clear()
            for journal in self._ranks.journals:
                journal.end()

    def forget(self) -> None:
        """Frees what was asked within this proof. A worker that is lost later in it cannot be replaced."""
        for journal in self._ranks.journals:
            journal.forget(after=-1)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Calls inside belong to that phase of the metrics, and of the trace if one records."""
        trace, begin = current_trace(), time.monotonic()
        with nullcontext() if trace is None else trace.phase(name):
            yield
        self.recovery.metrics.record(WORKER_PHASE_SECONDS, time.monotonic() - begin, (name,))

    def audit(self, trusted_executor: Callable[[int], Executor]) -> tuple[FaultyWorker, ...]:
        """Finds the workers whose answers were not the right ones, and replaces them.

        `trusted_executor` makes an executor of one rank, with so many threads, whose answers are right. Every
        rank's requests are made again there, one rank after the other. To be called before the proof ends,
        while its requests are known; the proof cannot go on. Raises ExecutionError where a worker cannot be
        replaced.
        """
        ranks, faulty = self._ranks, []
        for rank, (journal, runs_on) in enumerate(zip(ranks.journals, self.descriptions, strict=True)):
            trusted = trusted_executor(runs_on.threads)
            for digest, path in ranks.files.items():
                trusted.distribute(path, digest)
            index = first_wrong_answer(journal, trusted, ranks.encoded)
            trusted.close()
            if index is not None:
                entry = journal.entries[index]
                faulty.append(FaultyWorker(rank, runs_on.node, entry.method, index, entry.failure))
        ranks.log.add_faulty(faulty)
        # A faulty worker may have used values that another one published wrongly; they are gone with it.
        last = min((ranks.journals[worker.rank].entries[worker.index].number for worker in faulty), default=0)
        for worker in faulty:
            ranks.journals[worker.rank].forget(after=last)
        ranks.recover({worker.rank: worker.reason for worker in faulty})
        return tuple(faulty)

    def _requests(self, calls: Mapping[int, Call[Any]]) -> dict[int, bytes]:
        """Requests with what was deferred before; equal ones are encoded once, as most are."""
        sent = {id(call): method_call(call) for call in calls.values()}
        runs = {rank: (*self._deferred.pop(rank, ()), sent[id(call)]) for rank, call in calls.items()}
        keys = {rank: tuple(map(id, run)) for rank, run in runs.items()}
        distinct = {keys[rank]: run for rank, run in runs.items()}
        encoded = {key: encode(Run(run)) for key, run in distinct.items()}
        return {rank: encoded[key] for rank, key in keys.items()}

    def _read(self, rank: int, call: Call[R], outcome: Outcome) -> R:
        try:
            return call.read(outcome.require())
        except (WorkerError, ValueError) as error:
            # A value of another type than the method's is the worker's error too.
            raise self._ranks.error(rank, call.method.name, error) from error
