"""Proofs of one sample on growing numbers of workers, each worker's work measured alone.

Cores here are few, so workers run in this process, one after the other, with one thread each. Work, messages
and rounds are the same as on separate machines. The rounds of a proof are the same every time, so each is
measured several times, and the least is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import deepprove_dist as dp
from benchmarks.models import Model
from benchmarks.scaling import ScalingPoint
from deepprove_dist.arrays import FloatArray
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.keys import load_prover, save_keys
from deepprove_dist.prover import Prover
from deepprove_dist.timing import Span, Trace, recording
from deepprove_dist.timing.phases import BYTES_FETCHED, BYTES_IN, BYTES_OUT

REPEATS = 9
"""Proofs for each number of workers; the first warms up and is not counted."""


def measure_scaling(model: Model, workers: Sequence[int]) -> Iterator[ScalingPoint]:
    """A point for each number of workers; one worker is a machine alone, without messages."""
    with TemporaryDirectory(prefix="deepprove-dist-") as folder:
        setup = dp.setup(model.file, model.calibration, accept_error=True, threads=1, transparent=True)
        save_keys(setup.prover, folder)
        yield from scale_keys(model.name, Path(folder), model.scored.select(0).inputs, workers)


def scale_keys(
    config: str, keys: Path, inputs: Mapping[str, FloatArray], workers: Sequence[int]
) -> Iterator[ScalingPoint]:
    """The points of keys in a folder."""
    for count in workers:
        if count == 1:
            prover = load_prover(keys, threads=1)
            alone = min(_proving_ms(prover, inputs) for _ in range(REPEATS))
            yield ScalingPoint(config, 1, alone, alone, {}, 0.0, 0, 0, 0, 0)
            continue
        group = WorkerGroup(InProcessExecutor(count, create_worker))
        prover = load_prover(keys, threads=1, group=group)
        runs = [_traced(prover, inputs) for _ in range(REPEATS)]
        group.executor.close()
        yield _point(config, count, runs[1:])


def _proving_ms(prover: Prover, inputs: Mapping[str, FloatArray]) -> float:
    result = dp.ProvingKey(prover).prove(inputs)
    return result.inference_ms + result.proving_ms


def _traced(prover: Prover, inputs: Mapping[str, FloatArray]) -> tuple[float, Trace]:
    """One proof: milliseconds, and its trace."""
    with recording(Trace()) as trace:
        elapsed = _proving_ms(prover, inputs)
    return elapsed, trace


def _rounds(trace: Trace) -> list[tuple[Span, dict[int, Span]]]:
    """The rounds of a proof, with the work of each rank in it."""
    work: dict[float, dict[int, Span]] = {}
    for span in trace.of_kind("work"):
        if span.rank is not None:
            work.setdefault(span.start, {})[span.rank] = span
    return [(span, work[span.start]) for span in trace.of_kind("round")]


def _point(config: str, workers: int, runs: Sequence[tuple[float, Trace]]) -> ScalingPoint:
    elapsed = [milliseconds for milliseconds, _ in runs]
    busy_ms: dict[str, list[float]] = {}
    slowest = 0.0
    bytes_out = bytes_in = peer_bytes = rounds = 0
    for same in zip(*(_rounds(trace) for _, trace in runs), strict=True):
        ((first, ranks), *_) = same
        least = {rank: 1e3 * min(work[rank].seconds for _, work in same) for rank in ranks}
        slowest += max(least.values())
        busy = busy_ms.setdefault(first.phase, [0.0] * workers)
        for rank, milliseconds in least.items():
            busy[rank] += milliseconds
        bytes_out += sum(span.counts[BYTES_OUT] for span in ranks.values())
        bytes_in += sum(span.counts[BYTES_IN] for span in ranks.values())
        fetched = max(span.counts[BYTES_FETCHED] for span in ranks.values())
        peer_bytes += fetched
        rounds += 1 if fetched == 0 else 2
    # What a round takes beside its workers is the network's matter, which is computed.
    coordinator = min(total - _calling_ms(trace) for total, trace in runs)
    return ScalingPoint(
        config, workers, min(elapsed), coordinator, busy_ms, slowest, bytes_out, bytes_in, peer_bytes, rounds
    )


def _calling_ms(trace: Trace) -> float:
    return 1e3 * sum(span.seconds for span in trace.of_kind("round"))
