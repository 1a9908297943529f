"""A cluster's launcher, with one process of the coordinator's machine for when the cluster has none left.

So a proof outlives its cluster: the process takes all ranks, and the journals give them their states again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from deepprove_dist.execution.processes.launcher import Launcher, Start, Stored

RESERVE_SLOT = -1


class ReserveLauncher:
    """Starts processes by `cluster`, and in the reserve slot by `reserve`, on this machine."""

    reserve_slot = RESERVE_SLOT

    def __init__(self, cluster: Launcher, reserve: Launcher) -> None:
        self._cluster, self._reserve = cluster, reserve
        self.address = cluster.address

    def start(self, slot: int, start: Start) -> None:
        """See Launcher."""
        (self._reserve if slot == RESERVE_SLOT else self._cluster).start(slot, start)

    def ended(self) -> Mapping[int, str]:
        """See Launcher."""
        return {**self._cluster.ended(), **self._reserve.ended()}

    def store(self, path: Path, digest: bytes, processes: Collection[int]) -> Stored:
        """See Launcher: processes of this machine see its files."""
        return self._cluster.store(path, digest, processes)

    def end(self, process: int) -> None:
        """See Launcher."""
        self._cluster.end(process)
        self._reserve.end(process)

    def capacity(self) -> str:
        """See Launcher."""
        return self._cluster.capacity()

    def close(self) -> None:
        """See Launcher."""
        self._reserve.close()
        self._cluster.close()
