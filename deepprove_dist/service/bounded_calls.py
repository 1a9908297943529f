"""Calls that may hang are given up after a time: a thread waits for them, and its caller does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateResult
from contextlib import suppress
from typing import TypeVar

MOST_CALLS = 16
"""Calls at once, those that were given up and still hang included: each holds what it was to write."""

T = TypeVar("T")


class BoundedCalls:
    """Threads may share it. Its threads are daemons: a call that hangs does not keep the process."""

    def __init__(self, most: int = MOST_CALLS) -> None:
        self._free = threading.Semaphore(most)

    def run(self, work: Callable[[], T], seconds: float, undo: Callable[[], object] = lambda: None) -> T:
        """What `work` returns or raises. Raises TimeoutError after so many seconds.

        Work that fails, or ends later, is undone by `undo`, whose OSError is nobody's.
        """
        late = f"no answer within {seconds:g} s"
        end = time.monotonic() + seconds
        if not self._free.acquire(timeout=seconds):
            raise TimeoutError(late)
        result: Future[T] = Future()

        def wait() -> None:
            try:
                _complete(result, work, undo)
            finally:
                self._free.release()

        threading.Thread(target=wait, name="bounded call", daemon=True).start()
        try:
            return result.result(max(0.0, end - time.monotonic()))
        except LateResult:
            # A future that was not cancelled has a result by now, or an error, which may be of this kind.
            if result.cancel():
                raise TimeoutError(late) from None
            return result.result()


def _complete(result: Future[T], work: Callable[[], T], undo: Callable[[], object]) -> None:
    """Sets the result of the work. Undoes the work where it failed, or nobody waits for it."""
    try:
        value = work()
    except BaseException as error:
        with suppress(OSError):
            undo()
        if result.set_running_or_notify_cancel():
            result.set_exception(error)
        return
    if result.set_running_or_notify_cancel():
        result.set_result(value)
        return
    with suppress(OSError):
        undo()
