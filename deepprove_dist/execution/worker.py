"""A worker: a rank's state, and the calls that change it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from deepprove_dist.execution.all_gather import (
    ALL_GATHER,
    CONSUME,
    PUBLISH,
    PUBLISHED,
    PublishedValues,
    Publisher,
    Traffic,
    ValueDigest,
)
from deepprove_dist.execution.messages import (
    SERIES,
    decode_call,
    decode_value,
    encode_answer,
    encode_error,
    is_error,
)
from deepprove_dist.execution.process_context import ProcessContext


class Worker(ABC):
    """The state of one rank; `handle` takes a call as bytes and returns the answer as bytes.

    `context` is the process that it is in, which sets it, and the rank's number, before the first call.
    """

    def __init__(self) -> None:
        self.context = ProcessContext()
        self.rank = 0
        self.kept = PublishedValues()

    def handle(self, request: bytes) -> bytes:
        """Runs a call; an error is an answer too."""
        return self.begin(request)()

    def begin(self, request: bytes) -> Callable[[], bytes]:
        """Runs a call up to where it needs what other ranks give; what is returned runs the rest.

        A process with several ranks has to begin the calls of all before it runs the rest of any.
        """
        begin = time.perf_counter()
        try:
            method, arguments = decode_call(request)
            if method == ALL_GATHER:
                return self._give(arguments)
            answer = encode_answer(self._run(method, arguments), time.perf_counter() - begin)
        except Exception as error:  # a worker says what went wrong and lives on
            answer = encode_error(error, time.perf_counter() - begin)
        return lambda: answer

    @abstractmethod
    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Answers a call by name."""

    def _run(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """A call, several in one, or one of those by which ranks share values."""
        if method == SERIES:
            value = None
            for each, own in arguments["calls"]:
                value = self._run(each, own)
            return value
        if method == PUBLISH:
            value = self.call(arguments["method"], {})
            return self.kept.add(arguments["epoch"], arguments["number"], value)
        if method == PUBLISHED:
            return self.kept.value(arguments["digest"])
        if method == CONSUME:
            return self._on_shares(arguments, arguments["values"])
        return self.call(method, arguments)

    def _on_shares(self, arguments: Mapping[str, Any], values: Sequence[bytes]) -> Any:
        shares = [decode_value(value) for value in values]
        return self.call(arguments["method"], {**arguments["arguments"], "shares": shares})

    def _give(self, arguments: Mapping[str, Any]) -> Callable[[], bytes]:
        """The first half of `share`; what is returned runs the second one."""
        begin = time.perf_counter()
        kept = self.handle(arguments["keep"])
        seconds = time.perf_counter() - begin
        if is_error(kept):
            self.kept.refuse(arguments["number"])
            answer = encode_answer([kept, [], b""], seconds)
            return lambda: answer
        return partial(self._take, kept, arguments, seconds)

    def _take(self, kept: bytes, arguments: Mapping[str, Any], seconds: float) -> bytes:
        """The second half of `share`, which began so many seconds of work ago."""
        begin, traffic = time.perf_counter(), Traffic()
        digests: list[bytes] = []
        try:
            sources = [Publisher(rank, (host, port)) for rank, host, port in arguments["sources"]]
            values = self.kept.fetch(arguments["number"], self.rank, sources, self.context.fetch, traffic)
            digests = [ValueDigest.of(value).digest for value in values]
            taken = encode_answer(self._on_shares(arguments, values))
        except Exception as error:  # as above
            taken = encode_error(error)
        seconds += time.perf_counter() - begin - traffic.seconds
        return encode_answer([kept, digests, taken], seconds, traffic.size)


WorkerFactory: TypeAlias = Callable[[int], Worker]
"""Makes a rank's worker for a number of threads; has to be importable where workers run."""
