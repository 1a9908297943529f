"""Proving on several workers, for the benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions, open_worker_group
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.keys import load_prover, save_keys
from deepprove_dist.prover import Prover


@contextmanager
def distributed(prover: Prover, workers: int) -> Iterator[Prover]:
    """The proving key, cut into parts for so many workers on Ray; one worker is this process itself.

    Raises ExecutionError where the workers cannot be had.
    """
    if workers == 1:
        yield prover
        return
    with TemporaryDirectory(prefix="deepprove-dist-") as folder:
        save_keys(prover, folder)
        with open_worker_group(ClusterOptions(ScalingConfig(workers))) as group:
            yield load_prover(folder, group=group)
