"""The coordinator's hold on all workers: one call to all of them, all answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepprove_dist.execution.executor import Executor
from deepprove_dist.execution.messages import Arguments, decode_answer, encode_call


class Crew:
    """Calls to all seats, or to some of them."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    @property
    def size(self) -> int:
        """Seats."""
        return len(self.executor.seats)

    def call(self, method: str, arguments: Mapping[int, Arguments]) -> dict[int, Any]:
        """Calls a method of some seats, each with its own arguments; answers by seat, in their order."""
        # Equal arguments are encoded once: most calls say the same to all.
        encoded: dict[int, bytes] = {}
        for own in arguments.values():
            if id(own) not in encoded:
                encoded[id(own)] = encode_call(method, own)
        requests = {seat: encoded[id(own)] for seat, own in arguments.items()}
        answers = self.executor.call(requests)
        return {seat: decode_answer(answers[seat]) for seat in sorted(answers)}

    def call_all(self, method: str, **arguments: Any) -> list[Any]:
        """Calls a method of all seats with the same arguments; answers in the order of seats."""
        return list(self.call(method, dict.fromkeys(range(self.size), arguments)).values())
