"""How messages reach hosts: the seam between where workers run and what carries calls to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Exchange:
    """Answers of hosts, and why others gave none."""

    answers: dict[int, bytes | bytearray]
    failures: dict[int, str]


class Channel(Protocol):
    """Messages to hosts 0, 1, ... and back; a host that failed once is to be detached."""

    def attach(self, actors: Mapping[int, Any], timeout: float) -> dict[int, str]:
        """Opens the way to some hosts, Ray's actors; those that did not come within the time, with why."""

    def exchange(self, messages: Mapping[int, bytes], timeout: float) -> Exchange:
        """Hands each of some attached hosts a message at once; returns within about `timeout` seconds."""

    def detach(self, host: int) -> None:
        """Forgets a host; an answer that it may still send is never read."""

    def close(self) -> None:
        """Forgets all hosts and ends what the channel has opened."""
