"""Runs of this prover: one process for each run, so that memory and set-up are that run's own.

A run sets up the keys and then infers, proves and verifies sample after sample. A process that dies leaves
rows with its error for all samples that it still owed.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import deepprove_dist as dp
from benchmarks.answers import is_right
from benchmarks.distribution import distributed
from benchmarks.models import Model
from benchmarks.rows import Row
from deepprove_dist.arrays import FloatArray
from deepprove_dist.atomic import write_atomically
from deepprove_dist.cpu import default_threads
from deepprove_dist.errors import DeepProveError
from deepprove_dist.memory import peak_rss_bytes
from deepprove_dist.model import file as model_file
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.parameters import require_security
from deepprove_dist.samples import Samples
from deepprove_dist.timing import Trace, recording
from deepprove_dist.timing.chrome import chrome_trace

KILOBYTE, MEGABYTE = 1 << 10, 1 << 20


@dataclass(frozen=True)
class Task:
    """One run: what to prove and how. `timings` takes the trace of one more proof, not measured."""

    name: str
    run: int
    file: Path
    calibration: Samples
    scored: Samples
    prove: bool
    workers: int
    batch: int
    timings: Path

    @classmethod
    def of(cls, model: Model, run: int, *, prove: bool, workers: int, batch: int, timings: Path) -> Task:
        """A run of a model."""
        samples = model.calibration, model.scored
        return cls(model.name, run, model.file, *samples, prove, workers, batch, timings)


def zkml_rows(task: Task) -> Iterator[Row]:
    """A row for each sample, as they are measured in a process of their own."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, task))
    process.start()
    # This process must not hold the other end open, or it would never see the end.
    sender.close()
    done = 0
    try:
        while True:
            row: Row = receiver.recv()
            done += 1
            yield row
    except EOFError:
        process.join()
    finally:
        process.kill()
        process.join()
    for sample in range(done, len(task.scored)):
        yield _failure(task, sample, f"the process of this run ended early, with status {process.exitcode}")


def _work(sender: Connection, task: Task) -> None:
    with sender:
        for row in measure(task):
            sender.send(row)


def measure(task: Task) -> Iterator[Row]:
    """A row for each sample, measured in this process."""
    try:
        keys = dp.setup(
            task.file, task.calibration, max_batch=task.batch, accept_error=True, transparent=True
        )
        with distributed(keys.prover, task.workers) as prover:
            yield from _measure_samples(task, replace(keys, prover=prover))
    except (DeepProveError, MemoryError) as error:
        # Samples that fail have their rows; what comes here is the set-up of keys or workers.
        for sample in range(len(task.scored)):
            yield _failure(task, sample, f"set-up: {_words(error)}")


def _measure_samples(task: Task, keys: dp.SetupResult) -> Iterator[Row]:
    base = _key_figures(task, keys)
    for start in range(0, len(task.scored), task.batch):
        batch = range(start, min(start + task.batch, len(task.scored)))
        yield from _measure_batch(task, keys, base, batch)
    if task.prove:
        _time_phases(task, keys)


def _key_figures(task: Task, keys: dp.SetupResult) -> Row:
    """What all rows of a run share."""
    verifying = keys.verifying.content
    key_bytes = len(key_file.dump(verifying))
    return Row(
        task.name,
        task.run,
        0,
        setup_ms=keys.report.setup_ms,
        preparation_ms=keys.report.quantise_ms,
        # On disk a proving key is the integer model and the verifying key.
        proving_key_kb=(len(model_file.dump(keys.prover.model)) + key_bytes) / KILOBYTE,
        verifying_key_kb=key_bytes / KILOBYTE,
        workers=task.workers,
        batch=task.batch,
        security_bits=require_security(verifying.schedule, verifying.shape),
        threads=default_threads(),
    )


def _measure_batch(task: Task, keys: dp.SetupResult, base: Row, batch: range) -> Iterator[Row]:
    """Rows of the samples of one proof."""
    samples = task.scored.select(batch)
    try:
        measured, outputs = (_prove if task.prove else _infer)(keys, base, samples)
    except (DeepProveError, MemoryError) as error:
        for sample in batch:
            yield _failure(task, sample, _words(error), base)
        return
    measured = replace(measured, peak_memory_mb=peak_rss_bytes() / MEGABYTE, batch=len(batch))
    for index, sample in enumerate(batch):
        yield replace(measured, sample=sample, correct=is_right(outputs[index], samples, index))


def _prove(keys: dp.SetupResult, base: Row, samples: Samples) -> tuple[Row, FloatArray]:
    """The figures of one proof, as each sample's share, and the outputs that it proves."""
    proved = keys.prove(samples.inputs)
    verifying = keys.verifying
    begin = time.perf_counter()
    statement = verifying.verify(proved)
    verifying_ms = 1e3 * (time.perf_counter() - begin)
    share = len(samples)
    row = replace(
        base,
        inference_ms=proved.inference_ms / share,
        proving_ms=proved.proving_ms / share,
        verifying_ms=verifying_ms / share,
        proof_kb=len(proved) / KILOBYTE / share,
        verified=True,
    )
    return row, next(iter(statement.output.values()))


def _infer(keys: dp.SetupResult, base: Row, samples: Samples) -> tuple[Row, FloatArray]:
    result = keys.infer(samples.inputs)
    row = replace(base, inference_ms=result.inference_ms / len(samples))
    return row, next(iter(result.output.values()))


def _failure(task: Task, sample: int, error: str, base: Row | None = None) -> Row:
    base = base or Row(task.name, task.run, sample, workers=task.workers, batch=task.batch)
    verified = False if task.prove else None
    return replace(base, sample=sample, correct=False, verified=verified, error=error)


def _words(error: Exception) -> str:
    # A MemoryError has no text.
    return str(error) or type(error).__name__


def _time_phases(task: Task, keys: dp.SetupResult) -> None:
    """One more proof, of the first sample, with its trace written to `task.timings`."""
    try:
        with recording(Trace()) as trace:
            _prove(keys, Row(task.name, task.run, 0), task.scored.first(1))
    except DeepProveError:
        # The sample's own row says so already.
        return
    write_atomically(task.timings, chrome_trace(trace, ()))
