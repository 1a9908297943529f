"""A worker: a seat's state, and the calls that change it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from deepprove_dist.execution.messages import (
    SERIES,
    decode_call,
    decode_value,
    encode_answer,
    encode_error,
)
from deepprove_dist.execution.sharing import KEEP, KEPT, TAKE, Kept, Traffic
from deepprove_dist.execution.site import Site


class Worker(ABC):
    """The state of one seat; `handle` takes a call as bytes and returns the answer as bytes.

    `site` is the process that it is in, which sets it before the first call.
    """

    def __init__(self) -> None:
        self.site = Site()
        self.kept = Kept()

    def handle(self, request: bytes) -> bytes:
        """Runs a call; an error is an answer too."""
        begin, traffic = time.perf_counter(), Traffic()
        try:
            method, arguments = decode_call(request)
            value = self._run(method, arguments, traffic)
            return encode_answer(value, time.perf_counter() - begin - traffic.seconds, traffic.size)
        except Exception as error:  # a worker says what went wrong and lives on
            return encode_error(error, time.perf_counter() - begin - traffic.seconds, traffic.size)

    @abstractmethod
    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Answers a call by name."""

    def _run(self, method: str, arguments: Mapping[str, Any], traffic: Traffic) -> Any:
        """A call, several in one, or one of those by which seats share values."""
        if method == SERIES:
            value = None
            for each, own in arguments["calls"]:
                value = self._run(each, own, traffic)
            return value
        if method == KEEP:
            return self.kept.add(arguments["epoch"], self.call(arguments["method"], {}))
        if method == KEPT:
            return self.kept.value(arguments["digest"])
        if method == TAKE:
            if "values" in arguments:
                shares = [decode_value(value) for value in arguments["values"]]
            else:
                shares = self.kept.fetch(arguments["marks"], self.site.fetch, traffic)
            return self.call(arguments["method"], {**arguments["arguments"], "shares": shares})
        return self.call(method, arguments)


WorkerFactory: TypeAlias = Callable[[int], Worker]
"""Makes a seat's worker for a number of threads; has to be importable where workers run."""
