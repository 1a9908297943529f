"""A warm service beside proofs in this process, and its recovery from the death of its process.

`python -m benchmarks.service [MODEL] [--workers 2] [--pairs 30] [--jobs 40] [--output FILE]` takes a shipped
model's name, or a folder with `model.onnx` and `calibration.npz`. All is on one machine. Proofs here and by
each service take turns. Figures are medians, also those of the ratio within a turn; beside them are the least
times. The results are in docs/benchmarks.md.

On one machine workers have no core that one process would not have. `--cores-each 1` compares machines of so
many cores instead, one for each worker. A service is kept on the cores of its workers. None of its processes
has more threads than a worker has cores. The first way is one process on the cores of one worker. CPU time is
of the service's process and of its busiest worker, for a proof. So long would it take where nothing else runs
and messages take no time. Other work changes it less than it changes times.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import deepprove_dist as dp
from benchmarks.serving import busiest_seconds, serving
from deepprove_dist.execution.cluster.scaling_config import counted
from deepprove_dist.service.sample_body import encode_inputs

MODELS = Path(__file__).parents[1] / "assets" / "models"
KEY, MEDIA = "key", "application/msgpack"
_FIRST = 2
"""Proofs that are not measured: they load the key."""


def seconds_of(work: Callable[[], bytes], expected: bytes) -> float:
    """How long a proof takes; it must be the expected one."""
    begin = time.perf_counter()
    assert work() == expected
    return time.perf_counter() - begin


def measure_cores(
    keys: Path, folder: Path, inputs: Any, workers: int, pairs: int, cores_each: int
) -> Iterator[Mapping[str, str]]:
    """A row for a service on the cores of one worker, without workers and with one, and for more of both."""
    expected = dp.ProvingKey.load(keys).prove(inputs).content
    body, served = encode_inputs(inputs), f"{KEY}={keys}"
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < workers * cores_each:
        raise SystemExit(f"{workers} workers of {cores_each} cores need more than the {len(cores)} here")
    ways, processes = dict[str, Callable[[], bytes]](), dict[str, int]()
    with ExitStack() as stack:
        for count in (0, 1, workers):
            options: list[object] = ["--threads", cores_each]
            if count:
                options += ["--workers", count, "--cpus-per-worker", cores_each, "--share-small"]
            kept = cores[: max(count, 1) * cores_each]
            service = stack.enter_context(serving(folder / f"cores {count}", served, *options, cores=kept))
            name = f"{counted(count, 'worker')} of" if count else "one process of"
            name = f"{name} {counted(cores_each, 'core')}"
            ways[name] = partial(service.client.prove, KEY, body, media=MEDIA)
            processes[name] = service.process.pid
        _take_turns(ways, expected, 0)
        before = {name: busiest_seconds(process) for name, process in processes.items()}
        rows = [*_rows(_take_turns(ways, expected, pairs))]
        for row in rows:
            seconds = busiest_seconds(processes[row["way"]]) - before[row["way"]]
            # The first proofs of the turns are counted too.
            yield {**row, "CPU time (ms)": f"{1e3 * seconds / (pairs + _FIRST):.3g}"}


def measure_warm(
    keys: Path, folder: Path, inputs: Any, workers: int, pairs: int
) -> Iterator[Mapping[str, str]]:
    """A row for proofs here, by a service in one process, and by one whose workers prove."""
    here = dp.ProvingKey.load(keys)
    expected, body, served = here.prove(inputs).content, encode_inputs(inputs), f"{KEY}={keys}"
    with ExitStack() as stack:
        alone = stack.enter_context(serving(folder / "alone", served)).client
        options = ("--workers", workers)
        chosen = stack.enter_context(serving(folder / "chosen", served, *options)).client
        shared = stack.enter_context(serving(folder / "shared", served, *options, "--share-small")).client
        ways = {
            "in this process": lambda: here.prove(inputs).content,
            "service": lambda: alone.prove(KEY, body, media=MEDIA),
            f"service, {workers} workers where they pay": lambda: chosen.prove(KEY, body, media=MEDIA),
            f"service, always {workers} workers": lambda: shared.prove(KEY, body, media=MEDIA),
        }
        yield from _rows(_take_turns(ways, expected, pairs))


def _take_turns(
    ways: Mapping[str, Callable[[], bytes]], expected: bytes, pairs: int
) -> dict[str, list[float]]:
    """Seconds of each way, in the order of the ways."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    draw = random.Random(1)
    for index in range(pairs + _FIRST):
        # In another order each time: whoever comes first has cold caches.
        for name, work in draw.sample([*ways.items()], len(ways)):
            seconds = seconds_of(work, expected)
            if index >= _FIRST:
                times[name].append(seconds)
    return times


def _rows(times: Mapping[str, Sequence[float]]) -> Iterator[Mapping[str, str]]:
    """A row for each way; ratios are to the first one."""
    first = next(iter(times.values()))
    for name, values in times.items():
        ratio = statistics.median(value / base for value, base in zip(values, first, strict=True))
        median, least = 1e3 * statistics.median(values), 1e3 * min(values)
        figures = {
            "time (ms)": f"{median:.3g}",
            "beside the first": f"{ratio:.2f}",
            "least (ms)": f"{least:.3g}",
        }
        yield {"way": name, **figures}


def write_rows(file: Path, model: str, rows: Sequence[Mapping[str, str]]) -> None:
    """Adds the rows of a model to a table in CSV."""
    is_new = not file.exists()
    with file.open("a", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, ["model", *rows[0]])
        if is_new:
            writer.writeheader()
        writer.writerows({"model": model, **row} for row in rows)


def measure_recovery(keys: Path, folder: Path, inputs: Any, jobs: int) -> None:
    """Prints how long accepted jobs take whose service was killed, and requires their bytes."""
    expected, body = dp.ProvingKey.load(keys).prove(inputs).content, encode_inputs(inputs)
    with serving(folder / "killed", f"{KEY}={keys}") as service:
        ids = [service.client.submit(KEY, body, media=MEDIA)["id"] for _ in range(jobs)]
        service.client.wait(ids[0])
        service.kill()
    begin = time.perf_counter()
    with serving(folder / "killed", f"{KEY}={keys}") as service:
        listening, client = time.perf_counter() - begin, service.client
        first = next(job for job in ids if client.job(job)["state"] != "done")
        client.wait(first)
        one = time.perf_counter() - begin
        same = sum(client.proof(client.wait(job)["id"]) == expected for job in ids)
        print(f"listens {listening:.1f} s after the start, proves the next job at {one:.1f} s")
        print(f"all {jobs} at {time.perf_counter() - begin:.1f} s; {same} have the same bytes")


def main() -> None:
    """Measures what the command line says."""
    parser = argparse.ArgumentParser(description="Measure the service.")
    parser.add_argument("model", nargs="?", default="digits_cnn264k")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cores-each", type=int)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args()
    files = Path(chosen.model) if Path(chosen.model).is_dir() else MODELS / chosen.model
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with np.load(files / "calibration.npz") as file:
            calibration = file[file.files[0]]
        dp.setup(files / "model.onnx", calibration, transparent=True, accept_error=True).save(folder / "keys")
        keys = dp.ProvingKey.load(folder / "keys")
        inputs = keys.read_inputs(files / "calibration.npz")
        what = folder / "keys", folder, inputs, chosen.workers, chosen.pairs
        if chosen.cores_each is None:
            rows = [*measure_warm(*what)]
        else:
            rows = [*measure_cores(*what, chosen.cores_each)]
        for row in rows:
            print(row)
        if chosen.output is not None:
            write_rows(chosen.output, files.name, rows)
        if chosen.jobs:
            measure_recovery(folder / "keys", folder, inputs, chosen.jobs)


if __name__ == "__main__":
    main()
