"""Proving on several workers, for the benchmark."""

from __future__ import annotations

from deepprove_dist.errors import ExecutionError
from deepprove_dist.prover import ProvingKey


def distribute(proving: ProvingKey, workers: int) -> ProvingKey:
    """The proving key with its parts dealt to that many workers; one worker is this process itself.

    Raises ExecutionError where the workers cannot be had.
    """
    if workers == 1:
        return proving
    raise ExecutionError(f"proving on {workers} workers is not available here; leave out --workers")
