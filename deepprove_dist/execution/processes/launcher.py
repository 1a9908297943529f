"""What starts processes, ends them, and says which have ended: this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deepprove_dist.execution.network.address import Address
from deepprove_dist.execution.workers.worker import WorkerFactory


@dataclass(frozen=True)
class Start:
    """What a process needs: its number, the coordinator's address, the secrets of the run, what it makes.

    Without `peer_secret` it does not exchange values with other processes.
    """

    number: int
    coordinator: Address
    secret: bytes
    peer_secret: bytes | None
    threads: int
    worker: WorkerFactory


@dataclass(frozen=True)
class Stored:
    """Processes that were lost while a file was stored, and nodes that have it in memory only, with why."""

    lost: dict[int, str]
    in_memory: dict[str, str]


class Launcher(Protocol):
    """Starts processes in slots 0, 1, ...; a slot has room for one of them at a time."""

    @property
    def address(self) -> str:
        """This machine's address, to which processes connect."""

    @property
    def reserve_slot(self) -> int | None:
        """A slot on this machine for when no process lives any more; None where all slots are here."""

    def start(self, slot: int, start: Start) -> None:
        """Starts a process, which connects to the coordinator. Raises PlacementError where it has no room."""

    def ended(self) -> Mapping[int, str]:
        """Processes that have ended by themselves, and why; those that `end` has ended are not among them."""

    def store(self, path: Path, digest: bytes, processes: Collection[int]) -> Stored:
        """Brings a file of this machine to processes that do not see it.

        Raises OSError where it cannot be read, and ExecutionError where a machine cannot take it.
        """

    def end(self, process: int) -> None:
        """Ends a process, whatever it is doing; nothing happens to one that is gone already."""

    def capacity(self) -> str:
        """What there is, for a message that it is not enough."""

    def close(self) -> None:
        """Ends all processes and gives their slots back; takes a bounded time."""
