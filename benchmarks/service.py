"""A warm service beside proofs in this process, and its recovery from the death of its process.

`python -m benchmarks.service [MODEL] [--workers 2] [--pairs 30] [--jobs 40] [--output FILE]` takes a shipped
model's name, or a folder with `model.onnx` and `calibration.npz`. All is on one machine. Proofs here and by
each service take turns. Figures are medians, also those of the ratio within a turn; beside them are the least
times. The results are in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import csv
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

import deepprove_dist as dp
from benchmarks.serving import serving
from deepprove_dist.service.sample_body import encode_inputs

MODELS = Path(__file__).parents[1] / "assets" / "models"
KEY, MEDIA = "key", "application/msgpack"


def seconds_of(work: Callable[[], bytes], expected: bytes) -> float:
    """How long a proof takes; it must be the expected one."""
    begin = time.perf_counter()
    assert work() == expected
    return time.perf_counter() - begin


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
        times: dict[str, list[float]] = {name: [] for name in ways}
        draw = random.Random(1)
        for index in range(pairs + 2):
            # In another order each time: whoever comes first has cold caches.
            for name, work in draw.sample([*ways.items()], len(ways)):
                seconds = seconds_of(work, expected)
                # The first ones load the key.
                if index >= 2:
                    times[name].append(seconds)
    alone_here = times["in this process"]
    for name, values in times.items():
        ratio = statistics.median(value / base for value, base in zip(values, alone_here, strict=True))
        median, least = 1e3 * statistics.median(values), 1e3 * min(values)
        figures = {
            "time (ms)": f"{median:.3g}",
            "beside this process": f"{ratio:.2f}",
            "least (ms)": f"{least:.3g}",
        }
        print(f"{name:40} {figures}")
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
        rows = [*measure_warm(folder / "keys", folder, inputs, chosen.workers, chosen.pairs)]
        if chosen.output is not None:
            write_rows(chosen.output, files.name, rows)
        if chosen.jobs:
            measure_recovery(folder / "keys", folder, inputs, chosen.jobs)


if __name__ == "__main__":
    main()
