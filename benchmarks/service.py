"""A warm service beside proofs in this process, and its recovery from the death of its process.

`python -m benchmarks.service [MODEL] [--workers 2] [--pairs 30] [--jobs 40]` takes a shipped model's name.
All is on one machine. Proofs here and by each service take turns, and figures are medians. The results are
in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import deepprove_dist as dp
from deepprove_dist.service.client import Client
from deepprove_dist.service.clients import read_token
from deepprove_dist.service.sample_body import encode_inputs

MODELS = Path(__file__).parents[1] / "assets" / "models"
KEY, MEDIA = "key", "application/msgpack"
PROGRAM = "from deepprove_dist.cli.program import run; run()"


@dataclass(frozen=True)
class Service:
    """A process of the service, and its client."""

    process: subprocess.Popen[str]
    client: Client


@contextmanager
def serving(keys: Path, state: Path, *options: object) -> Iterator[Service]:
    """A service on this machine, until the end of the block."""
    arguments = ("serve", f"{KEY}={keys}", "--local", "--port", 0, "--state", state, *options, "--json")
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        fields = json.loads(process.stdout.readline())
        yield Service(process, Client(fields["url"], read_token(Path(fields["token_file"]))))
    finally:
        process.terminate()
        process.wait()


def seconds_of(work: Callable[[], bytes], expected: bytes) -> float:
    """How long a proof takes; it must be the expected one."""
    begin = time.perf_counter()
    assert work() == expected
    return time.perf_counter() - begin


def measure_warm(keys: Path, folder: Path, inputs: Any, workers: int, pairs: int) -> None:
    """Prints a row for proofs here, by a service in one process, and by one whose workers prove."""
    here = dp.ProvingKey.load(keys)
    expected, body = here.prove(inputs).content, encode_inputs(inputs)
    with ExitStack() as stack:
        alone = stack.enter_context(serving(keys, folder / "alone")).client
        options = ("--workers", workers)
        chosen = stack.enter_context(serving(keys, folder / "chosen", *options)).client
        shared = stack.enter_context(serving(keys, folder / "shared", *options, "--share-small")).client
        ways = {
            "in this process": lambda: here.prove(inputs).content,
            "service": lambda: alone.prove(KEY, body, media=MEDIA),
            f"service, {workers} workers where they pay": lambda: chosen.prove(KEY, body, media=MEDIA),
            f"service, always {workers} workers": lambda: shared.prove(KEY, body, media=MEDIA),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for index in range(pairs + 2):
            for name, work in ways.items():
                seconds = seconds_of(work, expected)
                # The first ones load the key.
                if index >= 2:
                    times[name].append(seconds)
    base = statistics.median(times["in this process"])
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:40} {1e3 * median:8.1f} ms {median / base:6.2f} {1e3 * min(values):8.1f} ms at least")


def measure_recovery(keys: Path, folder: Path, inputs: Any, jobs: int) -> None:
    """Prints how long accepted jobs take whose service was killed, and requires their bytes."""
    expected, body = dp.ProvingKey.load(keys).prove(inputs).content, encode_inputs(inputs)
    with serving(keys, folder / "killed") as service:
        ids = [service.client.submit(KEY, body, media=MEDIA)["id"] for _ in range(jobs)]
        service.client.wait(ids[0])
        service.process.kill()
        service.process.wait()
    begin = time.perf_counter()
    with serving(keys, folder / "killed") as service:
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
    chosen = parser.parse_args()
    files = MODELS / chosen.model
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        calibration = np.load(files / "calibration.npz")["x"]
        dp.setup(files / "model.onnx", calibration, transparent=True).save(folder / "keys")
        keys = dp.ProvingKey.load(folder / "keys")
        inputs = keys.read_inputs(files / "input.json")
        measure_warm(folder / "keys", folder, inputs, chosen.workers, chosen.pairs)
        measure_recovery(folder / "keys", folder, inputs, chosen.jobs)


if __name__ == "__main__":
    main()
