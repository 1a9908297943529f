"""Numbers that a process has reserved and not handed out yet."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable


class Block:
    """Reserved numbers in rising order, and the lock under which threads take them.

    A process that is forked off begins with none: they stay its parent's.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.numbers: list[int] = []
        os.register_at_fork(after_in_child=_forgetting(weakref.ref(self)))

    def forget(self) -> None:
        """Leaves all numbers to others. A thread that holds the lock is not in a forked process."""
        self.lock, self.numbers = threading.Lock(), []


def _forgetting(block: weakref.ref[Block]) -> Callable[[], None]:
    """What a forked process does with a block that is still there; the system keeps no block alive."""

    def forget() -> None:
        present = block()
        if present is not None:
            present.forget()

    return forget
