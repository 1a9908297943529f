"""A worker for tests of what carries calls: its state is a number, and it can misbehave when asked to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from inspect import getmembers, isfunction
from pathlib import Path

from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.workers.worker import ProcessContext, Worker, WorkerFactory, methods_by_name
from deepprove_dist.timing import Trace


class Dummy:
    """Adds numbers up; every answer depends on all calls before."""

    def __init__(self, context: ProcessContext, rank: int) -> None:
        self.context, self.rank = context, rank
        self.base = 0
        self.total = 0
        self.size = 0

    def load(self, number: int) -> None:
        self.base = self.total = number

    def begin(self) -> None:
        self.total = self.base

    def add(self, number: int) -> int:
        self.total += number
        return self.total

    def count(self, number: int) -> None:
        """As `add`, without a result."""
        self.total += number

    def echo(self, data: bytes) -> bytes:
        return data

    def resize(self, size: int) -> None:
        """What it publishes has so many more bytes."""
        self.size = size

    def give(self) -> bytes:
        return b"%d." % self.total + bytes(self.size)

    def take(self, shares: Sequence[bytes], weight: int) -> int:
        self.total += weight * sum(int(share.partition(b".")[0]) for share in shares)
        return self.total

    def has_file(self, digest: bytes) -> bool:
        return self.context.file(digest).is_file()

    def fail(self) -> None:
        raise ValueError("told to fail")

    def process(self) -> int:
        return os.getpid()

    def threads(self) -> int:
        return self.context.threads

    def add_slowly(self, number: int, seconds: float) -> int:
        time.sleep(seconds)
        return self.add(number)

    def die_once(self, flag: str) -> int:
        """Dies in the middle of the call, unless the file `flag` says that this has happened already."""
        return self._once(flag, os._exit)

    def hang_once(self, flag: str) -> int:
        """Hangs for longer than any test waits, once."""
        return self._once(flag, lambda _: time.sleep(3600))

    def _once(self, flag: str, misbehave: Callable[[int], object]) -> int:
        if not Path(flag).exists():
            Path(flag).touch()
            misbehave(1)
        return self.total


class FaultyDummy(Dummy):
    """Adds one too many from the second sum on, consistently."""

    def add(self, number: int) -> int:
        error = 0 if self.total == 0 else 1
        return super().add(number + error)


def worker_of(kind: type[Dummy], context: ProcessContext, rank: int) -> Worker:
    """A worker with a state of that kind; all its public functions are methods."""
    functions = [function for name, function in getmembers(kind, isfunction) if name[0] != "_"]
    return Worker(context, rank, kind(context, rank), methods_by_name(functions))


dummy: WorkerFactory = partial(worker_of, Dummy)
faulty_dummy: WorkerFactory = partial(worker_of, FaultyDummy)


def trusted(threads: int) -> InProcessExecutor:
    """For audits: a dummy in this process."""
    return InProcessExecutor(1, dummy, threads)


def in_turn(*workers: WorkerFactory) -> WorkerFactory:
    """Makes these workers, one after the other, and then plain dummies."""
    remaining: Iterator[WorkerFactory] = iter(workers)

    def create(context: ProcessContext, rank: int) -> Worker:
        return next(remaining, dummy)(context, rank)

    return create


def one_faulty(flag: str, context: ProcessContext, rank: int) -> Worker:
    """A faulty worker for the first who asks, wherever it runs, and then honest ones."""
    try:
        Path(flag).touch(exist_ok=False)
    except FileExistsError:
        return dummy(context, rank)
    return faulty_dummy(context, rank)


def counts_by_round(trace: Trace, method: str) -> list[list[Mapping[str, int]]]:
    """What was counted of each rank in each round of a method, in the order of rounds."""
    starts = [span.start for span in trace.of_kind("round") if span.name == method]
    work = [span for span in trace.of_kind("work") if span.name == method]
    return [[span.counts for span in work if span.start == start] for start in starts]
