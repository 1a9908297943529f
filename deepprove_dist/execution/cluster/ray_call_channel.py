"""Messages as calls of Ray's actors: simple, and some ten times slower a round than sockets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ray

from deepprove_dist.execution.cluster.channel import Exchange


class RayCallChannel:
    """A call of `handle` for each message."""

    def __init__(self) -> None:
        self._actors: dict[int, Any] = {}

    def attach(self, actors: Mapping[int, Any], timeout: float) -> dict[int, str]:
        """Nothing has to be opened."""
        self._actors.update(actors)
        return {}

    def exchange(self, messages: Mapping[int, bytes], timeout: float) -> Exchange:
        """Calls all hosts, then gathers."""
        calls = {self._actors[host].handle.remote(message): host for host, message in messages.items()}
        done, late = ray.wait(list(calls), num_returns=len(calls), timeout=timeout)
        exchange = Exchange({}, {calls[call]: f"no answer within {timeout:g} s" for call in late})
        for call in done:
            try:
                exchange.answers[calls[call]] = ray.get(call, timeout=timeout)
            except ray.exceptions.RayError as error:
                exchange.failures[calls[call]] = type(error).__name__
        return exchange

    def detach(self, host: int) -> None:
        """Forgets the actor."""
        self._actors.pop(host, None)

    def close(self) -> None:
        """Forgets all actors."""
        self._actors.clear()
