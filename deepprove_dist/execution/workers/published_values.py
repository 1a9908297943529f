"""What a rank publishes for other ranks, by the number of the all-gather."""

from __future__ import annotations

from threading import Condition

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.calls.requests import ValueDigest


class PublishedValues:
    """A rank's encoded values; those of an epoch are dropped when the next one begins.

    Threads that serve other processes wait here for values that are still to come.
    """

    def __init__(self) -> None:
        self._epoch = 0
        self._values: dict[int, bytes | None] = {}
        self._changed = Condition()

    def publish(self, epoch: int, number: int, value: bytes) -> ValueDigest:
        """Keeps a value for others; its digest."""
        digest = ValueDigest.of(value)
        with self._changed:
            if epoch != self._epoch:
                self._epoch, self._values = epoch, {}
            self._values[number] = value
            self._changed.notify_all()
        return digest

    def withdraw(self, number: int) -> None:
        """Says that there will be no value of this number, so that nobody waits for it."""
        with self._changed:
            self._values[number] = None
            self._changed.notify_all()

    def find(self, number: int, seconds: float = 0.0) -> bytes | None:
        """The value of a number; None where it does not come within so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: number in self._values, seconds)
            return self._values.get(number)

    def by_digest(self, digest: bytes) -> bytes:
        """The value with a digest. Raises ExecutionError where the rank has not published it."""
        for value in self._values.values():
            if value is not None and ValueDigest.of(value).digest == digest:
                return value
        raise ExecutionError("the worker has not published that value")
