"""What a process of ranks reports of itself when it has started."""

from __future__ import annotations

from dataclasses import dataclass

from deepprove_dist.execution.calls.messages import decoder
from deepprove_dist.execution.group.executor import WorkerDescription
from deepprove_dist.execution.network.address import Address
from deepprove_dist.execution.processes.identity import Identity


@dataclass(frozen=True)
class Location:
    """Where a process runs: its machine's address and name, a name that sorts nodes, and accelerators."""

    address: str
    node: str
    sort_key: str = ""
    accelerators: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProcessReport:
    """Which code a process runs, where, with how many threads, and where it serves other processes."""

    identity: Identity
    location: Location
    threads: int
    peers: Address | None

    @property
    def description(self) -> WorkerDescription:
        """What its ranks run on."""
        return WorkerDescription(self.location.node, self.threads, self.location.accelerators)

    @property
    def sort_key(self) -> tuple[str, str, tuple[str, ...]]:
        """Orders processes by where they run."""
        return self.location.address, self.location.sort_key, self.location.accelerators


_REPORTS = decoder(ProcessReport)


def read_report(message: bytes | bytearray) -> ProcessReport:
    """The first message of a process. Raises ValueError for other bytes, as of another version."""
    return _REPORTS.decode(message)
