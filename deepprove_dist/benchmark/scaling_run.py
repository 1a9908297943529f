"""Proofs of one sample on growing numbers of workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deepprove_dist.benchmark.models import Model
from deepprove_dist.benchmark.scaling import ScalingPoint
from deepprove_dist.errors import ExecutionError


def measure_scaling(model: Model, workers: Sequence[int]) -> Iterator[ScalingPoint]:
    """A point for each number of workers. Raises ExecutionError where workers cannot be had."""
    counts = ", ".join(map(str, workers))
    raise ExecutionError(f"{model.name}: {counts} workers are not available here; leave out --scaling")
