"""A worker: the state of one rank, and the requests that change it.

`ProcessContext` is what all ranks of a process share: threads, files, and the way to other processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from deepprove_dist.errors import ExecutionError, PeerError
from deepprove_dist.execution.calls.messages import encode
from deepprove_dist.execution.calls.methods import Method, method_of
from deepprove_dist.execution.calls.requests import (
    AllGather,
    Answer,
    Gathered,
    GetPublished,
    MethodCall,
    Outcome,
    Publish,
    Run,
    UseShares,
    ValueDigest,
    read_request,
)
from deepprove_dist.execution.network.address import Publisher
from deepprove_dist.execution.workers.published_values import PublishedValues
from deepprove_dist.kernels import LOG_WRITTEN

Fetch: TypeAlias = Callable[[int, Sequence[Publisher]], Sequence[bytes]]
"""What other ranks published in the all-gather of that number, in their order. Raises PeerError."""


@dataclass
class ProcessContext:
    """Threads for the kernels of each rank, files by digest, and the way to other processes, if any.

    Of a fraction tree at most 2^`log_written` nodes are written at once, beside its top. Fewer take less
    memory and more time.
    """

    threads: int = 1
    log_written: int = LOG_WRITTEN
    files: dict[bytes, Path] = field(default_factory=dict)
    fetch: Fetch | None = None

    def file(self, digest: bytes) -> Path:
        """The file with that digest. Raises ExecutionError where it was not distributed to this machine."""
        if digest not in self.files:
            raise ExecutionError("the worker has no file with the model's digest")
        return self.files[digest]


class Worker:
    """The state of one rank; `handle` takes a request as bytes and returns the answer as bytes."""

    def __init__(self, context: ProcessContext, rank: int, state: Any, methods: Mapping[str, Method]) -> None:
        """`methods` are functions of `state`, by name."""
        self.context, self.rank, self.state = context, rank, state
        self.published = PublishedValues()
        self._methods = methods

    def handle(self, request: bytes | memoryview) -> bytes:
        """Runs a request; an error is an answer too."""
        return self.begin(request)()

    def begin(self, request: bytes | memoryview) -> Callable[[], bytes]:
        """Runs a request up to where it needs other ranks; what is returned runs the second half.

        A process with several ranks begins the requests of all before it runs the second half of any.
        """
        start = time.perf_counter()
        try:
            content = read_request(request)
            if isinstance(content, AllGather):
                return self._publish_and_gather(content)
            outcome = Outcome.of_value(self._run(content))
        except Exception as error:  # a worker says what went wrong and lives on
            outcome = Outcome.of_error(error)
        answer = encode(Answer(time.perf_counter() - start, 0, outcome))
        return lambda: answer

    def call(self, method: Method, arguments: dict[str, Any]) -> Any:
        """Calls a method of the state."""
        return method.function(self.state, **arguments)

    def _run(self, request: Run | Publish | GetPublished | UseShares) -> Any:
        match request:
            case Run():
                return self._run_all(request.calls)
            case Publish():
                self._run_all(request.deferred)
                value = encode(self.call(self._method(request.method), {}))
                return self.published.publish(request.epoch, request.number, value)
            case GetPublished():
                return self.published.by_digest(request.digest)
            case UseShares():
                return self._call_with_shares(request.call, request.values)

    def _run_all(self, calls: Sequence[MethodCall]) -> Any:
        result = None
        for call in calls:
            method = self._method(call.method)
            result = self.call(method, method.read_arguments(call.arguments))
        return result

    def _call_with_shares(self, call: MethodCall, values: Sequence[bytes]) -> Any:
        method = self._method(call.method)
        arguments = method.read_arguments(call.arguments)
        return self.call(method, {"shares": method.read_shares(values), **arguments})

    def _method(self, name: str) -> Method:
        if name not in self._methods:
            raise ExecutionError(f"the worker has no method '{name}'")
        return self._methods[name]

    def _publish_and_gather(self, request: AllGather) -> Callable[[], bytes]:
        """The first half of an all-gather; what is returned runs the second one."""
        start = time.perf_counter()
        try:
            published = Outcome.of_value(self._run(request.publish))
        except Exception as error:  # as above
            self.published.withdraw(request.publish.number)
            gathered = Gathered(Outcome.of_error(error), (), Outcome(None))
            answer = encode(Answer(time.perf_counter() - start, 0, Outcome.of_value(gathered)))
            return lambda: answer
        return partial(self._gather, request, published, time.perf_counter() - start)

    def _gather(self, request: AllGather, published: Outcome, seconds: float) -> bytes:
        """The second half of an all-gather, after so many seconds of work."""
        start, traffic = time.perf_counter(), _Traffic()
        digests: tuple[bytes, ...] = ()
        try:
            values = self._gather_values(request.publish.number, request.publishers, traffic)
            digests = tuple(ValueDigest.of(value).digest for value in values)
            result = Outcome.of_value(self._call_with_shares(request.call, values))
        except Exception as error:  # as above
            result = Outcome.of_error(error)
        outcome = Outcome.of_value(Gathered(published, digests, result))
        seconds += time.perf_counter() - start - traffic.seconds
        return encode(Answer(seconds, traffic.size, outcome))

    def _gather_values(
        self, number: int, publishers: Sequence[Publisher], traffic: _Traffic
    ) -> Sequence[bytes]:
        """What all publishers published, encoded. Raises PeerError."""
        local, fetch = self.published.find(number), self.context.fetch
        if fetch is None or local is None:
            raise PeerError("the worker reaches no peers")
        ranks = [publisher.rank for publisher in publishers]
        # The next rank comes first: otherwise all workers would ask the same one first.
        start = ranks.index(self.rank)
        others = [*publishers[start + 1 :], *publishers[:start]]
        begin = time.perf_counter()
        try:
            fetched = fetch(number, others)
        finally:
            traffic.seconds += time.perf_counter() - begin
        traffic.size += sum(map(len, fetched))
        values = {publisher.rank: value for publisher, value in zip(others, fetched, strict=True)}
        return [local if rank == self.rank else values[rank] for rank in ranks]


@dataclass
class _Traffic:
    """What one request fetched from other ranks: bytes, and seconds that it waited for them."""

    size: int = 0
    seconds: float = 0.0


WorkerFactory: TypeAlias = Callable[[ProcessContext, int], Worker]
"""Makes the worker of a rank in a process; has to be importable where workers run."""


def methods_by_name(functions: Iterable[Callable[..., Any]]) -> Mapping[str, Method]:
    """Methods by the names of their functions."""
    return {function.__name__: method_of(function) for function in functions}
