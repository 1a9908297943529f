"""Load on a service while its workers die: clients submit, and every proof is compared with this process's.

Usage: python -m benchmarks.load KEYS SAMPLES --seconds 600 --clients 4

It starts `deepprove-dist serve` with two workers, and kills one of them now and then. At the end it prints a
JSON object: how many jobs were accepted, the same as here, wrong, failed or refused. It also has proofs a
second, the longest wait, workers killed, and the service's memory in each tenth of the time. The keys have to
be transparent: hiding proofs differ.
"""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

import deepprove_dist as dp
from benchmarks.serving import children, serving
from deepprove_dist.errors import DeepProveError
from deepprove_dist.service.client import Client, JobFailed

_WORKERS = ("--workers", 2, "--share-small")
_JOB_SECONDS = 120.0


@dataclass
class Results:
    """What clients saw; threads share it."""

    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: str, seconds: float = 0.0, error: str = "") -> None:
        """Counts a job."""
        with self.lock:
            self.counts[outcome] += 1
            self.longest = max(self.longest, seconds)
            if error:
                self.errors[error[:100]] += 1


@click.command()
@click.argument("keys", type=click.Path(path_type=Path, exists=True))
@click.argument("samples", type=click.Path(path_type=Path, exists=True))
@click.option("--seconds", default=600.0, show_default=True)
@click.option("--clients", default=4, show_default=True)
@click.option("--kill-every", default=5.0, show_default=True, help="Seconds between two kills, about.")
@click.option("--seed", default=1, show_default=True)
def main(keys: Path, samples: Path, seconds: float, clients: int, kill_every: float, seed: int) -> None:
    """Puts load on a service, and prints what came of it."""
    loaded = dp.ProvingKey.load(keys)
    x = loaded.read_inputs(samples)
    contexts = [str(number) for number in range(32)]
    expected = {context: loaded.prove(x, context=context.encode()).content for context in contexts}
    results, memory, draw = Results(), list[int](), random.Random(seed)
    killed = 0
    with (
        tempfile.TemporaryDirectory(prefix="deepprove-dist-") as folder,
        serving(Path(folder) / "state", f"load={keys.resolve()}", *_WORKERS) as service,
    ):
        process, client = service.process, service.client
        body = json.loads(samples.read_text())
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=_submit, args=(client, body, expected, end, results, random.Random(n)))
            for n in range(clients)
        ]
        for thread in threads:
            thread.start()
        kill = time.monotonic() + kill_every
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.5)
            memory.append(_memory_mb(process.pid))
            if time.monotonic() > kill and (workers := children(process.pid)):
                kill = time.monotonic() + draw.uniform(0.5, 1.5) * kill_every
                with suppress(ProcessLookupError):
                    os.kill(draw.choice(workers), signal.SIGKILL)
                    killed += 1
        for thread in threads:
            thread.join()
    tenth = max(1, len(memory) // 10)
    report = {
        "seconds": seconds,
        "clients": clients,
        **{name: results.counts[name] for name in ("accepted", "same", "wrong", "failed", "refused")},
        "errors": dict(results.errors),
        "proofs_a_second": round(results.counts["same"] / seconds, 2),
        "longest_wait_seconds": round(results.longest, 1),
        "workers_killed": killed,
        "memory_mb": [max(memory[first : first + tenth]) for first in range(0, len(memory), tenth)],
    }
    click.echo(json.dumps(report))


def _submit(
    client: Client,
    body: dict[str, Any],
    expected: dict[str, bytes],
    end: float,
    results: Results,
    draw: random.Random,
) -> None:
    while time.monotonic() < end:
        context, begin = draw.choice(sorted(expected)), time.monotonic()
        try:
            job = client.submit("load", body, context=context, priority=draw.randrange(3))["id"]
        except DeepProveError as error:
            results.add("refused", error=str(error))
            continue
        results.add("accepted")
        try:
            client.wait(job, _JOB_SECONDS)
            same = client.proof(job) == expected[context]
        except (JobFailed, DeepProveError) as error:
            results.add("failed", time.monotonic() - begin, str(error))
        else:
            results.add("same" if same else "wrong", time.monotonic() - begin)


def _memory_mb(process: int) -> int:
    """What a process holds."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) // 1024
    return 0


if __name__ == "__main__":
    main()
