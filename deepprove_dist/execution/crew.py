"""The coordinator's hold on all workers: one call to all of them, all answers, whatever happens to some.

A seat's state is a function of the calls that it received. So every call that was answered is in the seat's
journal; a lost seat is started anew, its journal replayed there, each answer compared with the first one's,
and the call that was under way is made again. Callers notice nothing but the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from deepprove_dist.errors import ExecutionError, PlacementError, WorkerError, WorkerLost
from deepprove_dist.execution.audit import Liar, first_wrong_answer
from deepprove_dist.execution.executor import Executor, WorkerDescription
from deepprove_dist.execution.failure_policy import Decision, FailurePolicy
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.journal import Journal
from deepprove_dist.execution.messages import Arguments, decode_answer, encode_call
from deepprove_dist.execution.profile import Profile


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
        # Equal arguments are encoded once: most calls say the same to all.
        encoded: dict[int, bytes] = {}
        for own in arguments.values():
            if id(own) not in encoded:
                encoded[id(own)] = encode_call(method, own)
        requests = {seat: encoded[id(own)] for seat, own in arguments.items()}
        if self._profile is None:
            answers = self._exchange(requests)
        else:
            with self._profile.call(method, requests) as answers:
                answers.update(self._exchange(requests))
        # Before answers are looked at: an audit has to see errors, and bytes that are no answer.
        for seat, request in requests.items():
            self._journals[seat].add(method, request, answers[seat])
        return {seat: self._value(seat, method, answers[seat]) for seat in sorted(answers)}

    def call_all(self, method: str, **arguments: Any) -> list[Any]:
        """Calls a method of all seats with the same arguments; answers in the order of seats."""
        return list(self.call(method, dict.fromkeys(range(self.size), arguments)).values())

    def ask(self, method: str) -> list[Any]:
        """What all seats say now of themselves: no part of their state, so it is in no journal."""
        answers = self._exchange(dict.fromkeys(range(self.size), encode_call(method, {})))
        return [self._value(seat, method, answers[seat]) for seat in sorted(answers)]

    @contextmanager
    def proof(self) -> Iterator[None]:
        """Calls inside are forgotten at its end; those outside, which load keys, stay for a seat's life.

        So answers inside may depend on the calls outside and on this proof's, never on an earlier proof's.
        """
        for journal in self._journals:
            journal.begin()
        try:
            yield
        finally:
            for journal in self._journals:
                journal.end()

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Calls inside belong to that phase of the profile, if there is one."""
        return nullcontext() if self._profile is None else self._profile.phase(name)

    def audit(self, reference: Executor | None = None) -> tuple[Liar, ...]:
        """Finds the workers whose answers were wrong, and replaces them.

        Every seat's calls are made again on seat 0 of `reference`, by default a worker in this process, one
        seat after the other, so that it holds one share at a time. To be called before the proof ends, while
        its calls are known. Raises ExecutionError where a liar cannot be replaced.
        """
        liars = []
        for seat, (journal, runs_on) in enumerate(zip(self._journals, self.seats, strict=True)):
            trusted = reference or InProcessExecutor(1, runs_on.threads)
            trusted.replace(0)
            index = first_wrong_answer(journal, trusted)
            if index is not None:
                liars.append(Liar(seat, runs_on.node, journal.entries[index].method, index))
        self._recover({liar.seat: f"wrong answer to '{liar.method}'" for liar in liars})
        return tuple(liars)

    def _value(self, seat: int, method: str, answer: bytes) -> Any:
        try:
            return decode_answer(answer)
        except WorkerError as error:
            node = self.seats[seat].node
            raise WorkerError(f"worker {seat} on {node}, method '{method}': {error}") from error

    def _exchange(self, requests: Mapping[int, bytes]) -> dict[int, bytes]:
        """Answers of all these seats, though some may have to be started anew for it."""
        answers: dict[int, bytes] = {}
        while len(answers) < len(requests):
            missing = {seat: request for seat, request in requests.items() if seat not in answers}
            try:
                answers.update(self.executor.call(missing))
            except WorkerLost as lost:
                answers.update(lost.answers)
                self._recover(lost.reasons)
        return answers

    def _recover(self, reasons: Mapping[int, str]) -> None:
        """Gives these seats their states again, elsewhere."""
        while reasons:
            for seat, reason in sorted(reasons.items()):
                self._start_anew(seat, reason)
            reasons = self._replay(list(reasons))

    def _start_anew(self, seat: int, reason: str) -> None:
        decision = self._policy.lost(seat)
        if decision is Decision.RETRY:
            try:
                return self.executor.replace(seat)
            except PlacementError:
                decision = self._policy.unplaced()
        if decision is Decision.RAISE:
            raise ExecutionError(f"worker {seat} was lost too often, the last time by: {reason}")
        return self.executor.move(seat)

    def _replay(self, seats: list[int]) -> dict[int, str]:
        """Makes the calls of journals again, all seats at once; those that failed, with the reason."""
        failed: dict[int, str] = {}
        step = 0
        while under_way := {
            seat: self._journals[seat].entries[step]
            for seat in seats
            if seat not in failed and step < len(self._journals[seat].entries)
        }:
            try:
                answers = self.executor.call({seat: entry.request for seat, entry in under_way.items()})
            except WorkerLost as lost:
                failed.update(lost.reasons)
                answers = lost.answers
            for seat, answer in answers.items():
                entry = under_way[seat]
                if not entry.agrees(answer):
                    failed[seat] = f"{_contrary(answer)} to '{entry.method}' than before it was replaced"
            step += 1
        return failed


def _contrary(answer: bytes) -> str:
    try:
        decode_answer(answer)
    except WorkerError as error:
        return f"another answer ({error})"
    return "another answer"
