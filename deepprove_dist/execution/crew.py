"""The coordinator's hold on all workers: one call to all of them, all answers, whatever happens to some.

A seat's state is a function of the calls that it received. So every call that was answered is in the seat's
journal; a lost seat is started anew, its journal replayed there, each answer compared with the first one's,
and the call that was under way is made again. Callers notice nothing but the time.

What seats share goes from seat to seat where they reach each other, and through here where they do not, and
in replays: then addresses may be those of seats that are gone.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from deepprove_dist.errors import ExecutionError, PlacementError, WorkerError, WorkerLost
from deepprove_dist.execution.audit import Liar, first_wrong_answer
from deepprove_dist.execution.executor import Executor, WorkerDescription
from deepprove_dist.execution.failure_policy import Decision, FailurePolicy
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.journal import Entry, Journal
from deepprove_dist.execution.messages import (
    Arguments,
    decode_answer,
    encode_call,
    encode_series,
)
from deepprove_dist.execution.profile import Profile
from deepprove_dist.execution.sharing import KEEP, KEPT, Mark, Shared, Sharing, Taking

logger = logging.getLogger(__name__)

Request = TypeVar("Request")


class Crew:
    """Calls to all seats, or to some of them.

    Every call raises WorkerError where a worker answers with an error, and ExecutionError where lost workers
    cannot be replaced any more.
    """

    def __init__(
        self, executor: Executor, policy: FailurePolicy | None = None, profile: Profile | None = None
    ) -> None:
        self.executor = executor
        self._policy = policy or FailurePolicy()
        self._profile = profile
        self._journals = [Journal() for _ in executor.seats]
        self._files: dict[bytes, Path] = {}
        self._calls = 0
        self._told: dict[int, list[tuple[str, Arguments]]] = {}
        # Of the call under way: in no journal yet, so that they are lost with their seats.
        self._answers: dict[int, bytes] = {}
        self._shared: dict[int, Shared] = {}
        self._proofs = self._exchanges = 0
        self._peers_meet = True

    @property
    def size(self) -> int:
        """Seats."""
        return len(self._journals)

    @property
    def seats(self) -> tuple[WorkerDescription, ...]:
        """What each seat runs on now."""
        return self.executor.seats

    def call(self, method: str, arguments: Mapping[int, Arguments]) -> dict[int, Any]:
        """Calls a method of some seats, each with its own arguments; answers by seat, in their order."""
        return self._recorded(method, self._requests(method, arguments))

    def tell(self, method: str, arguments: Mapping[int, Arguments]) -> None:
        """Calls a method whose answers nobody needs: it goes with the next call to each of these seats.

        What is told within a proof, and never sent, is forgotten with it.
        """
        for seat, own in arguments.items():
            self._told.setdefault(seat, []).append((method, own))

    def call_all(self, method: str, **arguments: Any) -> list[Any]:
        """Calls a method of all seats with the same arguments; answers in the order of seats."""
        return list(self.call(method, dict.fromkeys(range(self.size), arguments)).values())

    def exchange(self, give: str, take: str, seats: Iterable[int], arguments: Arguments) -> dict[int, Any]:
        """Calls `give` of some seats, then `take` of the same, with what all gave as its argument `shares`.

        Both in one call where seats reach each other. `give` has no arguments. Answers of `take` by seat.
        """
        self._exchanges += 1
        keep = {"epoch": self._proofs, "number": self._exchanges, "method": give}
        keeps = self._requests(KEEP, dict.fromkeys(seats, keep))
        self._answers, self._shared = {}, {}
        places = self.executor.peers if self._peers_meet else None
        if places is not None:
            self._share(Sharing(take, arguments, self._exchanges, places), keeps)
        if missing := self._unanswered(keeps):
            with self._round(give, missing) as answers:
                self._complete(missing)
                answers.update({seat: self._answers[seat] for seat in missing})
        marks = {seat: self._mark(seat, give, own) for seat, own in self._done(give, keeps).items()}
        self._recover(self._deceived(marks))
        self._answers = {seat: own.taken for seat, own in self._shared.items() if not own.unmet}
        taking = Taking(take, arguments, marks)
        while left := self._unanswered(dict.fromkeys(marks, taking)):
            calls = dict.fromkeys(left, self._encoded(taking))
            with self._round(take, calls) as answers:
                self._attempt(calls)
                answers.update({seat: self._answers[seat] for seat in left if seat in self._answers})
        return self._done(take, dict.fromkeys(marks, taking))

    def distribute(self, path: Path, digest: bytes) -> None:
        """Makes a file of this machine available to all seats, by its digest. Raises OSError."""
        self._files[digest] = path
        while True:
            try:
                return self.executor.distribute(path, digest)
            except WorkerLost as lost:
                self._recover(lost.reasons)

    def ask(self, method: str) -> list[Any]:
        """What all seats say now of themselves: no part of their state, so it is in no journal."""
        self._answers = {}
        self._complete(dict.fromkeys(range(self.size), encode_call(method, {})))
        return [self._value(seat, method, answer) for seat, answer in sorted(self._answers.items())]

    @contextmanager
    def proof(self) -> Iterator[None]:
        """Calls inside are forgotten at its end; those outside, which load keys, stay for a seat's life.

        So answers inside may depend on the calls outside and on this proof's, never on an earlier proof's.
        """
        self._proofs += 1
        for journal in self._journals:
            journal.begin()
        try:
            yield
        finally:
            self._told.clear()
            for journal in self._journals:
                journal.end()

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Calls inside belong to that phase of the profile, if there is one."""
        return nullcontext() if self._profile is None else self._profile.phase(name)

    def audit(self, reference: Executor | None = None) -> tuple[Liar, ...]:
        """Finds the workers whose answers were wrong, and replaces them.

        Every seat's calls are made again on seat 0 of `reference`, by default a worker in this process, one
        seat after the other, so that it holds one share at a time. To be called before the proof ends, while
        its calls are known; the proof cannot go on. Raises ExecutionError where a liar cannot be replaced.
        """
        liars = []
        for seat, (journal, runs_on) in enumerate(zip(self._journals, self.seats, strict=True)):
            trusted = reference or InProcessExecutor(1, runs_on.threads)
            trusted.replace(0)
            for digest, path in self._files.items():
                trusted.distribute(path, digest)
            index = first_wrong_answer(journal, trusted, self._encoded)
            if index is not None:
                liars.append(Liar(seat, runs_on.node, journal.entries[index].method, index))
        # Who lied may have taken what was kept wrongly, which is gone with another liar's state.
        last = min((self._journals[liar.seat].entries[liar.index].number for liar in liars), default=0)
        for liar in liars:
            self._journals[liar.seat].forget(after=last)
        self._recover({liar.seat: f"wrong answer to '{liar.method}'" for liar in liars})
        return tuple(liars)

    def _requests(self, method: str, arguments: Mapping[int, Arguments]) -> dict[int, bytes]:
        """A call's bytes, behind what each seat was told; equal ones are encoded once, as most are."""
        calls = {seat: [*self._told.pop(seat, ()), (method, own)] for seat, own in arguments.items()}
        same = {seat: tuple((name, id(own)) for name, own in series) for seat, series in calls.items()}
        distinct = {own: calls[seat] for seat, own in same.items()}
        encoded = {own: encode_series(series) for own, series in distinct.items()}
        return {seat: encoded[own] for seat, own in same.items()}

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

    def _done(self, method: str, requests: Mapping[int, bytes | Taking]) -> dict[int, Any]:
        """The values of the call that is answered, by seat in their order."""
        answers, self._answers = self._answers, {}
        # Before answers are looked at: an audit has to see errors, and bytes that are no answer.
        for seat, request in requests.items():
            self._journals[seat].add(self._calls, method, request, answers[seat])
        self._calls += 1
        return {seat: self._value(seat, method, answers[seat]) for seat in sorted(answers)}

    def _value(self, seat: int, method: str, answer: bytes) -> Any:
        try:
            return decode_answer(answer)
        except WorkerError as error:
            raise self._error(seat, method, error) from error

    def _error(self, seat: int, method: str, error: WorkerError) -> WorkerError:
        """The error of a seat's answer, with its name and place."""
        return WorkerError(f"worker {seat} on {self.seats[seat].node}, method '{method}': {error}")

    def _complete(self, requests: Mapping[int, bytes]) -> None:
        """Makes a call until all its seats have answered."""
        while missing := self._unanswered(requests):
            self._attempt(missing)

    def _unanswered(self, requests: Mapping[int, Request]) -> dict[int, Request]:
        """The part of a call that has to be made, again perhaps."""
        return {seat: request for seat, request in requests.items() if seat not in self._answers}

    def _attempt(self, requests: Mapping[int, bytes]) -> None:
        """Calls some seats; those that are lost are started anew."""
        answers, lost = self._call(requests)
        self._answers.update(answers)
        self._recover(lost)

    def _call(self, requests: Mapping[int, bytes]) -> tuple[Mapping[int, bytes], Mapping[int, str]]:
        """Calls some seats; the answers, and why others were lost."""
        try:
            return self.executor.call(requests), {}
        except WorkerLost as lost:
            return lost.answers, lost.reasons

    def _share(self, sharing: Sharing, keeps: Mapping[int, bytes]) -> None:
        """Makes both calls of an exchange; what came of them."""
        requests = sharing.requests(keeps)
        with self._round(sharing.method, requests) as answers:
            arrived, lost = self._call(requests)
            answers.update(arrived)
        self._shared = {seat: Shared.of(answer) for seat, answer in arrived.items()}
        self._answers = {seat: shared.kept for seat, shared in self._shared.items()}
        if not lost:
            # Nobody was lost: it is the network, and stays so.
            self._meet_no_more([shared.unmet for shared in self._shared.values() if shared.unmet])
        self._recover(lost)

    def _mark(self, seat: int, give: str, kept: object) -> Mark:
        """What a seat says that it keeps of what a method gave."""
        try:
            return Mark.read(kept)
        except WorkerError as error:
            raise self._error(seat, give, error) from error

    def _deceived(self, marks: Mapping[int, Mark]) -> dict[int, str]:
        """Seats that took other values than those with these marks: their states are to be made again."""
        given = [mark.digest for mark in marks.values()]
        took = [seat for seat, own in self._shared.items() if not own.unmet and own.digests != given]
        wrong = {seat: f"worker {seat} took other values than were given" for seat in took}
        self._meet_no_more(list(wrong.values()))
        return wrong

    def _meet_no_more(self, reasons: Sequence[str]) -> None:
        if reasons:
            self._peers_meet = False
            what = "; ".join(reasons)
            logger.warning("what workers share goes through the coordinator now: %s", what)

    def _encoded(self, request: bytes | Taking) -> bytes:
        """A call with all that it takes in it, from seats that may have to be started anew for it."""
        while isinstance(request, Taking):
            try:
                return request.with_values(self._ask_kept)
            except WorkerLost as lost:
                self._recover(lost.reasons)
        return request

    def _ask_kept(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        with self._round(KEPT, requests) as answers:
            answers.update(self.executor.call(requests))
        return answers

    def _recover(self, reasons: Mapping[int, str]) -> None:
        """Gives these seats their states again, elsewhere: the calls of their journals are made once more.

        The earliest call comes first: a seat takes what others, which may have been lost too, kept before.
        """
        left: dict[int, deque[Entry]] = {}
        while True:
            for seat, reason in sorted(reasons.items()):
                self._start_anew(seat, reason)
                left[seat] = deque(self._journals[seat].entries)
            heads = {seat: entries[0] for seat, entries in left.items() if entries}
            if not heads:
                return
            number = min(head.number for head in heads.values())
            call = {seat: head for seat, head in heads.items() if head.number == number}
            repeated, reasons = self._repeat(call)
            for seat in repeated:
                left[seat].popleft()

    def _start_anew(self, seat: int, reason: str) -> None:
        self._answers.pop(seat, None)
        self._shared.pop(seat, None)
        decision = self._policy.lost(seat)
        if decision is Decision.RETRY:
            try:
                return self.executor.replace(seat)
            except PlacementError:
                decision = self._policy.unplaced()
        if decision is Decision.RAISE:
            raise ExecutionError(f"worker {seat} was lost too often, the last time by: {reason}")
        return self.executor.move(seat)

    def _repeat(self, entries: Mapping[int, Entry]) -> tuple[list[int], dict[int, str]]:
        """Makes a call again: seats that answered as before, and why others did not."""
        requests = {id(entry.request): entry.request for entry in entries.values()}
        try:
            encoded = {
                each: own.with_values(self.executor.call) if isinstance(own, Taking) else own
                for each, own in requests.items()
            }
        except WorkerLost as lost:
            return [], lost.reasons
        answers, gone = self._call({seat: encoded[id(own.request)] for seat, own in entries.items()})
        failed = dict(gone)
        for seat, answer in answers.items():
            if not entries[seat].agrees(answer):
                failed[seat] = f"{_contrary(answer)} to '{entries[seat].method}' than before it was replaced"
        return [seat for seat in entries if seat not in failed], failed


def _contrary(answer: bytes) -> str:
    try:
        decode_answer(answer)
    except WorkerError as error:
        return f"another answer ({error})"
    return "another answer"
