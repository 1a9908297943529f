"""Proofs of one sample on growing numbers of workers, each worker's work measured alone.

    python -m benchmarks.scaling_run KEYS SAMPLES [--workers 1,2,4,8,16] [--repeats 9] [--output DIR]

Cores here are few, so the work of each worker is measured in a process of its own, with one thread. So is the
coordinator's: see `workers_alone`. Work, messages and rounds are the same as on separate machines. The
rounds of a proof are the same every time, so each is measured several times, and the least is taken. Samples
are those of a model's calibration; the first one is proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

import deepprove_dist as dp
from benchmarks.apart import apart
from benchmarks.models import Model
from benchmarks.parsed import Parsed
from benchmarks.scaling import ScalingPoint, draw_scaling, scaling_records, write_scaling
from benchmarks.settings import parse_workers
from benchmarks.workers_alone import AnsweringExecutor, RecordingExecutor, WorkAlone, measure_alone
from deepprove_dist.arrays import FloatArray
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.keys import load_prover, save_keys
from deepprove_dist.memory import keep_free_memory
from deepprove_dist.prover import Prover
from deepprove_dist.samples import Samples, read_samples
from deepprove_dist.timing import Span, Trace, recording
from deepprove_dist.timing.phases import BYTES_FETCHED, BYTES_IN, BYTES_OUT

REPEATS = 9
"""Proofs for each number of workers; the first warms up, and the least counts."""


def measure_scaling(model: Model, workers: Sequence[int]) -> Iterator[ScalingPoint]:
    """A point for each number of workers; one worker is a machine alone, without messages."""
    with TemporaryDirectory(prefix="deepprove-dist-") as folder:
        apart(_set_up, model.file, model.calibration, Path(folder))
        yield from scale_keys(model.name, Path(folder), model.scored.select(0).inputs, workers, REPEATS)


def scale_keys(
    config: str, keys: Path, inputs: Mapping[str, FloatArray], workers: Sequence[int], repeats: int
) -> Iterator[ScalingPoint]:
    """The points of keys in a folder."""
    for count in workers:
        if count == 1:
            alone = apart(_prove_alone, keys, inputs, repeats)
            yield ScalingPoint(config, 1, alone, alone, {}, 0.0, 0, 0, 0, 0)
            continue
        with TemporaryDirectory(prefix="deepprove-dist-") as folder:
            run = apart(_record, keys, inputs, count, Path(folder))
            coordinator_ms = apart(_coordinate, keys, inputs, run, count, Path(folder), repeats)
            work = measure_alone(Path(folder), count, run.files, run.first, repeats)
        yield _point(config, run, coordinator_ms, work)


@dataclass(frozen=True)
class RecordedRun:
    """A proof whose workers were recorded.

    Attributes:
        milliseconds: of all workers in turn.
        proof: its bytes.
        trace: of the proof.
        first: number of its first round.
        files: what workers read, by digest.
    """

    milliseconds: float
    proof: bytes
    trace: Trace
    first: int
    files: Mapping[bytes, Path]


def _first_sample(keys: Path, samples: Path) -> Mapping[str, FloatArray]:
    shapes = {tensor.name: tensor.shape for tensor in load_prover(keys, threads=1).model.inputs}
    return read_samples(samples, shapes).select(0).inputs


def _set_up(file: Path, calibration: Samples, folder: Path) -> None:
    setup = dp.setup(file, calibration, accept_error=True, threads=1, transparent=True)
    save_keys(setup.prover, folder)


def _prove_alone(keys: Path, inputs: Mapping[str, FloatArray], repeats: int) -> float:
    keep_free_memory()
    prover = load_prover(keys, threads=1)
    return min(_prove(prover, inputs)[0] for _ in range(repeats))


def _record(keys: Path, inputs: Mapping[str, FloatArray], count: int, folder: Path) -> RecordedRun:
    executor = RecordingExecutor(count, folder)
    group = WorkerGroup(executor)
    # No worker is lost here, so what they were asked need not be kept.
    executor.after_round = group.forget
    prover = load_prover(keys, threads=1, group=group)
    first = executor.rounds
    with recording(Trace()) as trace:
        milliseconds, proof = _prove(prover, inputs)
    executor.close()
    return RecordedRun(milliseconds, proof, trace, first, executor.files)


def _coordinate(
    keys: Path, inputs: Mapping[str, FloatArray], run: RecordedRun, count: int, folder: Path, repeats: int
) -> float:
    """Milliseconds that the coordinator takes itself, the least of several proofs.

    Raises RuntimeError for another proof than the recorded one.
    """
    keep_free_memory()
    executor = AnsweringExecutor(count, folder, run.first)
    prover = load_prover(keys, threads=1, group=WorkerGroup(executor))
    milliseconds = []
    for _ in range(repeats):
        executor.again()
        with recording(Trace()) as trace:
            total, proof = _prove(prover, inputs)
        if proof != run.proof:
            raise RuntimeError("the coordinator makes another proof of the same answers")
        # What a round takes beside its workers is the network's matter, which is computed.
        milliseconds.append(total - 1e3 * sum(span.seconds for span in trace.of_kind("round")))
    return min(milliseconds)


def _prove(prover: Prover, inputs: Mapping[str, FloatArray]) -> tuple[float, bytes]:
    """Milliseconds, and the proof's bytes."""
    result = dp.ProvingKey(prover).prove(inputs, clamp=True)
    return result.inference_ms + result.proving_ms, result.content


def _point(config: str, run: RecordedRun, coordinator_ms: float, work: Sequence[WorkAlone]) -> ScalingPoint:
    sent: dict[float, list[Span]] = {}
    for span in run.trace.of_kind("work"):
        sent.setdefault(span.start, []).append(span)
    busy_ms: dict[str, list[float]] = {}
    slowest = 0.0
    bytes_out = bytes_in = peer_bytes = rounds = 0
    for number, span in enumerate(run.trace.of_kind("round"), run.first):
        least = [1e3 * rank.seconds.get(number, 0.0) for rank in work]
        slowest += max(least)
        busy = busy_ms.get(span.phase, [0.0] * len(work))
        busy_ms[span.phase] = [total + part for total, part in zip(busy, least, strict=True)]
        bytes_out += sum(part.counts[BYTES_OUT] for part in sent[span.start])
        bytes_in += sum(part.counts[BYTES_IN] for part in sent[span.start])
        fetched = max(part.counts[BYTES_FETCHED] for part in sent[span.start])
        peer_bytes += fetched
        rounds += 1 if fetched == 0 else 2
    return ScalingPoint(
        config,
        len(work),
        run.milliseconds,
        coordinator_ms,
        busy_ms,
        slowest,
        bytes_out,
        bytes_in,
        peer_bytes,
        rounds,
    )


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("keys", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("samples", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--workers", type=Parsed("1,2,4", parse_workers), default="1,2,4,8,16", show_default=True)
@click.option("--repeats", default=REPEATS, show_default=True, help="Proofs for each number of workers.")
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), help="For a CSV file and a picture."
)
def command(keys: Path, samples: Path, workers: tuple[int, ...], repeats: int, output: Path | None) -> None:
    """Measures keys; see the module."""
    inputs = apart(_first_sample, keys, samples)
    points = []
    for point in scale_keys(keys.name, keys, inputs, workers, repeats):
        points.append(point)
        click.echo(", ".join(f"{name} {value}" for name, value in scaling_records(points)[-1].items()))
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        write_scaling(points, output / f"scaling_{keys.name}.csv")
        draw_scaling(points, output / f"scaling_{keys.name}.png")


if __name__ == "__main__":
    command()
