"""Which code a process runs.

Workers of another version could answer otherwise, and only the proof's self-check would show it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import deepprove_dist
from deepprove_dist.kernels import build_record, module_file


@dataclass(frozen=True)
class Identity:
    """The package's version, and a digest of what its kernels were built for."""

    version: str
    kernels: str

    @classmethod
    def of_this_process(cls) -> Identity:
        """The version and kernels of this process."""
        record = build_record(module_file(Path(deepprove_dist.__file__).parent))
        text = " ".join([record.version, record.arch, *sorted(record.features)])
        return cls(deepprove_dist.__version__, hashlib.blake2b(text.encode(), digest_size=8).hexdigest())

    def __str__(self) -> str:
        return f"version {self.version} with kernels {self.kernels}"
