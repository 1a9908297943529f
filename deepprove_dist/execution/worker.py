"""A worker: a seat's state, and the calls that change it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from deepprove_dist.execution.messages import decode_call, encode_answer, encode_error


class Worker(ABC):
    """The state of one seat; `handle` takes a call as bytes and returns the answer as bytes."""

    def handle(self, request: bytes) -> bytes:
        """Runs a call; an error is an answer too."""
        begin = time.perf_counter()
        try:
            method, arguments = decode_call(request)
            value = self.call(method, arguments)
            return encode_answer(value, time.perf_counter() - begin)
        except Exception as error:  # a worker says what went wrong and lives on
            return encode_error(error, time.perf_counter() - begin)

    @abstractmethod
    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Answers a call by name."""


WorkerFactory: TypeAlias = Callable[[int], Worker]
"""Makes a seat's worker for a number of threads; has to be importable where workers run."""
