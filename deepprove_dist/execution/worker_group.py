"""The coordinator's hold on all workers: one call to all of them, all answers, whatever happens to some.

A rank's state is a function of the calls that it received. So every call that was answered is in the rank's
journal; a lost rank is started anew, its journal replayed there, each answer compared with the first one's,
and the call that was under way is made again. Callers notice nothing but the time.

What ranks share goes from rank to rank where they reach each other, and through here where they do not, and
in replays: then addresses may be those of ranks that are gone.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from deepprove_dist.errors import ExecutionError, PlacementError, WorkerError, WorkerLost
from deepprove_dist.execution.all_gather import (
    PUBLISH,
    PUBLISHED,
    AllGatherAnswer,
    AllGatherCall,
    GatheredCall,
    ValueDigest,
)
from deepprove_dist.execution.executor import Executor, WorkerDescription
from deepprove_dist.execution.failure_policy import Decision, FailurePolicy
from deepprove_dist.execution.faulty_worker import FaultyWorker, first_wrong_answer
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.journal import Entry, Journal
from deepprove_dist.execution.messages import (
    Arguments,
    decode_answer,
    encode_call,
    encode_series,
)
from deepprove_dist.execution.profile import Profile

logger = logging.getLogger(__name__)

Request = TypeVar("Request")


class WorkerGroup:
    """Calls to all ranks, or to some of them.

    Every call raises WorkerError where a worker answers with an error, and ExecutionError where lost workers
    cannot be replaced any more.
    """

    def __init__(
        self, executor: Executor, policy: FailurePolicy | None = None, profile: Profile | None = None
    ) -> None:
        self.executor = executor
        self._policy = policy or FailurePolicy()
        self._profile = profile
        self._journals = [Journal() for _ in executor.descriptions]
        self._files: dict[bytes, Path] = {}
        self._calls = 0
        self._deferred: dict[int, list[tuple[str, Arguments]]] = {}
        # Of the call under way: in no journal yet, so that they are lost with their ranks.
        self._answers: dict[int, bytes] = {}
        self._shared: dict[int, AllGatherAnswer] = {}
        self._proofs = self._exchanges = 0
        self._peers_meet = True

    @property
    def size(self) -> int:
        """Ranks."""
        return len(self._journals)

    @property
    def descriptions(self) -> tuple[WorkerDescription, ...]:
        """What each rank runs on now."""
        return self.executor.descriptions

    def call(self, method: str, arguments: Mapping[int, Arguments]) -> dict[int, Any]:
        """Calls a method of some ranks, each with its own arguments; answers by rank, in their order."""
        return self._recorded(method, self._requests(method, arguments))

    def defer(self, method: str, arguments: Mapping[int, Arguments]) -> None:
        """Calls a method whose answers nobody needs: it goes with the next call to each of these ranks.

        What is told within a proof, and never sent, is forgotten with it.
        """
        for rank, own in arguments.items():
            self._deferred.setdefault(rank, []).append((method, own))

    def call_all(self, method: str, **arguments: Any) -> list[Any]:
        """Calls a method of all ranks with the same arguments; answers in the order of ranks."""
        return list(self.call(method, dict.fromkeys(range(self.size), arguments)).values())

    def exchange(self, give: str, take: str, ranks: Iterable[int], arguments: Arguments) -> dict[int, Any]:
        """Calls `give` of some ranks, then `take` of the same, with what all gave as its argument `shares`.

        Both in one call where ranks reach each other. `give` has no arguments. Answers of `take` by rank.
        """
        self._exchanges += 1
        keep = {"epoch": self._proofs, "number": self._exchanges, "method": give}
        keeps = self._requests(PUBLISH, dict.fromkeys(ranks, keep))
        self._answers, self._shared = {}, {}
        places = self.executor.peers if self._peers_meet else None
        if places is not None:
            self._share(AllGatherCall(take, arguments, self._exchanges, places), keeps)
        if missing := self._unanswered(keeps):
            with self._round(give, missing) as answers:
                self._complete(missing)
                answers.update({rank: self._answers[rank] for rank in missing})
        digests = {rank: self._value_digest(rank, give, own) for rank, own in self._done(give, keeps).items()}
        self._recover(self._deceived(digests))
        self._answers = {rank: own.taken for rank, own in self._shared.items() if not own.unmet}
        taking = GatheredCall(take, arguments, digests)
        while left := self._unanswered(dict.fromkeys(digests, taking)):
            calls = dict.fromkeys(left, self._encoded(taking))
            with self._round(take, calls) as answers:
                self._attempt(calls)
                answers.update({rank: self._answers[rank] for rank in left if rank in self._answers})
        return self._done(take, dict.fromkeys(digests, taking))

    def distribute(self, path: Path, digest: bytes) -> None:
        """Makes a file of this machine available to all ranks, by its digest. Raises OSError."""
        self._files[digest] = path
        while True:
            try:
                return self.executor.distribute(path, digest)
            except WorkerLost as lost:
                self._recover(lost.reasons)

    def ask(self, method: str) -> list[Any]:
        """What all ranks say now of themselves: no part of their state, so it is in no journal."""
        self._answers = {}
        self._complete(dict.fromkeys(range(self.size), encode_call(method, {})))
        return [self._value(rank, method, answer) for rank, answer in sorted(self._answers.items())]

    @contextmanager
    def proof(self) -> Iterator[None]:
        """Calls inside are forgotten at its end; those outside, which load keys, stay for a rank's life.

        So answers inside may depend on the calls outside and on this proof's, never on an earlier proof's.
        """
        self._proofs += 1
        for journal in self._journals:
            journal.begin()
        try:
            yield
        finally:
            self._deferred.clear()
            for journal in self._journals:
                journal.end()

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Calls inside belong to that phase of the profile, if there is one."""
        return nullcontext() if self._profile is None else self._profile.phase(name)

    def audit(self, reference: Executor | None = None) -> tuple[FaultyWorker, ...]:
        """Finds the workers whose answers were wrong, and replaces them.

        Every rank's calls are made again on rank 0 of `reference`, by default a worker in this process, one
        rank after the other, so that it holds one share at a time. To be called before the proof ends, while
        its calls are known; the proof cannot go on. Raises ExecutionError where one cannot be replaced.
        """
        faulty: list[FaultyWorker] = []
        for rank, (journal, runs_on) in enumerate(zip(self._journals, self.descriptions, strict=True)):
            trusted = reference or InProcessExecutor(1, runs_on.threads)
            trusted.replace(0)
            for digest, path in self._files.items():
                trusted.distribute(path, digest)
            index = first_wrong_answer(journal, trusted, self._encoded)
            if index is not None:
                faulty.append(FaultyWorker(rank, runs_on.node, journal.entries[index].method, index))
        # A faulty worker may have used values that another one published wrongly; they are gone with it.
        last = min((self._journals[worker.rank].entries[worker.index].number for worker in faulty), default=0)
        for worker in faulty:
            self._journals[worker.rank].forget(after=last)
        self._recover({worker.rank: f"wrong answer to '{worker.method}'" for worker in faulty})
        return tuple(faulty)

    def _requests(self, method: str, arguments: Mapping[int, Arguments]) -> dict[int, bytes]:
        """A call's bytes, behind what each rank was told; equal ones are encoded once, as most are."""
        calls = {rank: [*self._deferred.pop(rank, ()), (method, own)] for rank, own in arguments.items()}
        same = {rank: tuple((name, id(own)) for name, own in series) for rank, series in calls.items()}
        distinct = {own: calls[rank] for rank, own in same.items()}
        encoded = {own: encode_series(series) for own, series in distinct.items()}
        return {rank: encoded[own] for rank, own in same.items()}

    def _round(self, method: str, requests: Mapping[int, bytes]) -> AbstractContextManager[dict[int, bytes]]:
        """A call for the profile, if there is one; answers are to be put into what it gives."""
        return nullcontext({}) if self._profile is None else self._profile.call(method, requests)

    def _recorded(self, method: str, requests: Mapping[int, bytes]) -> dict[int, Any]:
        """Makes a call, to be found under that name in profile and journals; the values of its answers."""
        self._answers = {}
        with self._round(method, requests) as answers:
            self._complete(requests)
            answers.update(self._answers)
        return self._done(method, requests)

    def _done(self, method: str, requests: Mapping[int, bytes | GatheredCall]) -> dict[int, Any]:
        """The values of the call that is answered, by rank in their order."""
        answers, self._answers = self._answers, {}
        # Before answers are looked at: an audit has to see errors, and bytes that are no answer.
        for rank, request in requests.items():
            self._journals[rank].add(self._calls, method, request, answers[rank])
        self._calls += 1
        return {rank: self._value(rank, method, answers[rank]) for rank in sorted(answers)}

    def _value(self, rank: int, method: str, answer: bytes) -> Any:
        try:
            return decode_answer(answer)
        except WorkerError as error:
            raise self._error(rank, method, error) from error

    def _error(self, rank: int, method: str, error: WorkerError) -> WorkerError:
        """The error of a rank's answer, with its name and place."""
        return WorkerError(f"worker {rank} on {self.descriptions[rank].node}, method '{method}': {error}")

    def _complete(self, requests: Mapping[int, bytes]) -> None:
        """Makes a call until all its ranks have answered."""
        while missing := self._unanswered(requests):
            self._attempt(missing)

    def _unanswered(self, requests: Mapping[int, Request]) -> dict[int, Request]:
        """The part of a call that has to be made, again perhaps."""
        return {rank: request for rank, request in requests.items() if rank not in self._answers}

    def _attempt(self, requests: Mapping[int, bytes]) -> None:
        """Calls some ranks; those that are lost are started anew."""
        answers, lost = self._call(requests)
        self._answers.update(answers)
        self._recover(lost)

    def _call(self, requests: Mapping[int, bytes]) -> tuple[Mapping[int, bytes], Mapping[int, str]]:
        """Calls some ranks; the answers, and why others were lost."""
        try:
            return self.executor.call(requests), {}
        except WorkerLost as lost:
            return lost.answers, lost.reasons

    def _share(self, sharing: AllGatherCall, keeps: Mapping[int, bytes]) -> None:
        """Makes both calls of an exchange; what came of them."""
        requests = sharing.requests(keeps)
        with self._round(sharing.method, requests) as answers:
            arrived, lost = self._call(requests)
            answers.update(arrived)
        self._shared = {rank: AllGatherAnswer.of(answer) for rank, answer in arrived.items()}
        self._answers = {rank: shared.kept for rank, shared in self._shared.items()}
        if not lost:
            # Nobody was lost: it is the network, and stays so.
            self._meet_no_more([shared.unmet for shared in self._shared.values() if shared.unmet])
        self._recover(lost)

    def _value_digest(self, rank: int, give: str, kept: object) -> ValueDigest:
        """What a rank says that it keeps of what a method gave."""
        try:
            return ValueDigest.read(kept)
        except WorkerError as error:
            raise self._error(rank, give, error) from error

    def _deceived(self, digests: Mapping[int, ValueDigest]) -> dict[int, str]:
        """Ranks that took other values than those with these digests: their states are to be made again."""
        given = [mark.digest for mark in digests.values()]
        took = [rank for rank, own in self._shared.items() if not own.unmet and own.digests != given]
        wrong = {rank: f"worker {rank} took other values than were given" for rank in took}
        self._meet_no_more(list(wrong.values()))
        return wrong

    def _meet_no_more(self, reasons: Sequence[str]) -> None:
        if reasons:
            self._peers_meet = False
            what = "; ".join(reasons)
            logger.warning("what workers share goes through the coordinator now: %s", what)

    def _encoded(self, request: bytes | GatheredCall) -> bytes:
        """A call with all that it takes in it, from ranks that may have to be started anew for it."""
        while isinstance(request, GatheredCall):
            try:
                return request.with_values(self._ask_kept)
            except WorkerLost as lost:
                self._recover(lost.reasons)
        return request

    def _ask_kept(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        with self._round(PUBLISHED, requests) as answers:
            answers.update(self.executor.call(requests))
        return answers

    def _recover(self, reasons: Mapping[int, str]) -> None:
        """Gives these ranks their states again, elsewhere: the calls of their journals are made once more.

        The earliest call comes first: a rank takes what others, which may have been lost too, kept before.
        """
        left: dict[int, deque[Entry]] = {}
        while True:
            for rank, reason in sorted(reasons.items()):
                self._replace(rank, reason)
                left[rank] = deque(self._journals[rank].entries)
            heads = {rank: entries[0] for rank, entries in left.items() if entries}
            if not heads:
                return
            number = min(head.number for head in heads.values())
            call = {rank: head for rank, head in heads.items() if head.number == number}
            repeated, reasons = self._repeat(call)
            for rank in repeated:
                left[rank].popleft()

    def _replace(self, rank: int, reason: str) -> None:
        self._answers.pop(rank, None)
        self._shared.pop(rank, None)
        decision = self._policy.lost(rank)
        if decision is Decision.RETRY:
            try:
                return self.executor.replace(rank)
            except PlacementError:
                decision = self._policy.unplaced()
        if decision is Decision.RAISE:
            raise ExecutionError(f"worker {rank} was lost too often, the last time by: {reason}")
        return self.executor.move(rank)

    def _repeat(self, entries: Mapping[int, Entry]) -> tuple[list[int], dict[int, str]]:
        """Makes a call again: ranks that answered as before, and why others did not."""
        requests = {id(entry.request): entry.request for entry in entries.values()}
        try:
            encoded = {
                each: own.with_values(self.executor.call) if isinstance(own, GatheredCall) else own
                for each, own in requests.items()
            }
        except WorkerLost as lost:
            return [], lost.reasons
        answers, gone = self._call({rank: encoded[id(own.request)] for rank, own in entries.items()})
        failed = dict(gone)
        for rank, answer in answers.items():
            if not entries[rank].agrees(answer):
                failed[rank] = f"{_contrary(answer)} to '{entries[rank].method}' than before it was replaced"
        return [rank for rank in entries if rank not in failed], failed


def _contrary(answer: bytes) -> str:
    try:
        decode_answer(answer)
    except WorkerError as error:
        return f"another answer ({error})"
    return "another answer"
