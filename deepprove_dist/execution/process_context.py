"""What a process offers to the ranks in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.all_gather import Fetch


@dataclass
class ProcessContext:
    """Files of this machine by digest, and the way to other processes where there is one."""

    files: dict[bytes, Path] = field(default_factory=dict)
    fetch: Fetch | None = None

    def file(self, digest: bytes) -> Path:
        """The file with that digest. Raises ExecutionError where it was not distributed to this machine."""
        if digest not in self.files:
            raise ExecutionError("the worker has no file with the model's digest")
        return self.files[digest]
