"""What reaches workers: an executor hands requests to ranks and gathers the answers.

A rank is a worker's state: the parts of a model assigned to it, and what its calls made of them. It lives in
some process, and may be started again in another one. Requests and answers are bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deepprove_dist.execution.network.address import Address


@dataclass(frozen=True)
class WorkerDescription:
    """What a rank runs on: the node's name, threads of its kernels, and accelerators that it was given."""

    node: str
    threads: int
    accelerators: tuple[str, ...] = ()


class Executor(Protocol):
    """Ranks 0, 1, ..., each with the state of one worker."""

    @property
    def descriptions(self) -> tuple[WorkerDescription, ...]:
        """What each rank runs on now."""

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """Hands a request to each of some ranks at once and returns all their answers.

        Raises WorkerLost with the answers that did arrive, where some did not. A rank that was lost stays
        lost until it is replaced or moved.
        """

    @property
    def peers(self) -> Mapping[int, Address] | None:
        """Where each rank's process hands out what the rank publishes; None where they cannot connect."""

    def distribute(self, path: Path, digest: bytes) -> None:
        """Makes a file, of this machine and with this digest, available to all ranks, those to come as well.

        Raises OSError where it cannot be read, WorkerLost for ranks that were lost, and ExecutionError where
        a machine cannot store it.
        """

    def prepare(self, ranks: Collection[int]) -> None:
        """Begins to start processes for lost ranks, several at once; `replace` waits for each of them.

        Not all of them may have begun: where there is no room, `replace` says so.
        """

    def replace(self, rank: int) -> None:
        """Starts a rank again, with an empty state, in a new process. Raises PlacementError without a place.

        The process that held it ends; other ranks that it held are lost.
        """

    def move(self, rank: int) -> None:
        """Starts a rank again, with an empty state, in a process that lives. Raises PlacementError."""

    def close(self) -> None:
        """Ends all workers that the executor has started."""
