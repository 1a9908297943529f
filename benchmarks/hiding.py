"""What hiding costs: transparent and hiding proofs of one model, in pairs.

    python -m benchmarks.hiding FOLDER... [--proofs 16,64,256] [--repeats 9] [--threads 2] [--output FILE]

A folder has `model.onnx` and `calibration.npz`. Each mode of a model, transparent or hiding for a number of
proofs, is a process of its own with its key loaded. They prove in turn, so that all see the same machine.
What is
compared are medians; the first proof of each is not counted. Memory is the most that a process has held.
"""

from __future__ import annotations

import csv
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import click
import numpy as np

import deepprove_dist as dp
from deepprove_dist.kernels import Pool
from deepprove_dist.memory import peak_rss_bytes
from deepprove_dist.model import file as model_file
from deepprove_dist.prover import Attempt, Prover, prove
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify

TRANSPARENT = 0
"""In the place of a number of proofs."""


@dataclass(frozen=True)
class Measure:
    """Medians of one mode of a model.

    Attributes:
        model: its folder's name.
        proofs: that a hiding key was asked for; 0 for a transparent key.
        allowed: proofs that the hiding key allows.
        proving_ms: from the finished inference to the proof's bytes.
        verifying_ms: of the proof, from its bytes.
        proof_bytes: of the whole file.
        setup_s: from the integer model to the key, weights committed.
        memory_mb: the most that the process has held.
    """

    model: str
    proofs: int
    allowed: int
    proving_ms: float
    verifying_ms: float
    proof_bytes: float
    setup_s: float
    memory_mb: float


def measure(folder: Path, counts: Sequence[int], repeats: int, threads: int) -> list[Measure]:
    """All modes of the model in a folder: transparent, then hiding for each number of proofs."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.integer"
        keys = dp.setup(
            folder / "model.onnx", folder / "calibration.npz", accept_error=True, transparent=True
        )
        path.write_bytes(model_file.dump(keys.model))
        with _processes(path, [TRANSPARENT, *counts], threads) as ends:
            setups = [end.recv() for end in ends]
            runs = [[_ask(end, number) for end in ends] for number in range(repeats + 1)][1:]
            memory = [_ask(end, None)[0] for end in ends]
    result = []
    for index, proofs in enumerate([TRANSPARENT, *counts]):
        proving, verifying, size = (median(run[index][part] for run in runs) for part in range(3))
        seconds, allowed = setups[index]
        figures = (allowed, proving, verifying, size, seconds, memory[index])
        result.append(Measure(folder.name, proofs, *figures))
    return result


def _ask(end: Connection, question: int | None) -> tuple[float, ...]:
    end.send(question)
    answer: tuple[float, ...] = end.recv()
    return answer


@contextmanager
def _processes(path: Path, modes: Sequence[int], threads: int) -> Iterator[list[Connection]]:
    context = multiprocessing.get_context("spawn")
    ends, processes = [], []
    for proofs in modes:
        end, other = context.Pipe()
        process = context.Process(target=_serve, args=(other, path, proofs, threads), daemon=True)
        process.start()
        ends.append(end)
        processes.append(process)
    try:
        yield ends
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _serve(end: Connection, path: Path, proofs: int, threads: int) -> None:
    """Proves when asked with the number of a proof; None asks for the memory held."""
    pool, model = Pool(threads), model_file.load(path.read_bytes())
    options = Options(hiding=proofs != TRANSPARENT, proofs=proofs or None)
    begin = time.perf_counter()
    prover = Prover.generate(model, options, pool)
    end.send((time.perf_counter() - begin, prover.verifying.schedule.initial.proofs or 0))
    random = np.random.default_rng(0)
    inputs = {t.name: random.integers(t.lo, t.hi + 1, size=(1, *t.shape)) for t in model.inputs}
    while True:
        number = end.recv()
        if number is None:
            end.send((peak_rss_bytes() / 1e6,))
            continue
        trace = prover.runner.run(inputs)
        attempt = Attempt(Reservation.draw(0, number)) if proofs != TRANSPARENT else None
        begin = time.perf_counter()
        proof = prove(prover, trace, 1, b"", attempt)
        proven = time.perf_counter()
        verify(prover.verifying, proof)
        end.send((1e3 * (proven - begin), 1e3 * (time.perf_counter() - proven), len(proof)))


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument(
    "folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--proofs", default="16,64,256", show_default=True, help="Numbers of proofs of hiding keys.")
@click.option("--repeats", default=9, show_default=True, help="Proofs of each mode.")
@click.option("--threads", default=2, show_default=True, help="Of each process.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A CSV file for the figures.")
def main(folders: Sequence[Path], proofs: str, repeats: int, threads: int, output: Path | None) -> None:
    """Measures all folders; see the module."""
    rows: list[Measure] = []
    for folder in folders:
        measures = measure(folder, [int(count) for count in proofs.split(",")], repeats, threads)
        transparent = measures[0]
        for item in measures:
            mode = f"N = {item.allowed}" if item.proofs else "transparent"
            more = item.verifying_ms - transparent.verifying_ms
            longer = item.proof_bytes / transparent.proof_bytes
            click.echo(
                f"{item.model:20} {mode:12} "
                f"proving {item.proving_ms:8.1f} ms ({item.proving_ms / transparent.proving_ms:.2f})  "
                f"verifying {item.verifying_ms:6.2f} ms ({more:+.2f})  "
                f"proof {item.proof_bytes / 1024:6.1f} KB ({longer:.2f})  "
                f"set-up {item.setup_s:6.2f} s  memory {item.memory_mb:6.0f} MB"
            )
        rows += measures
    if output is not None:
        with output.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(asdict(rows[0])), lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(row) for row in rows)


if __name__ == "__main__":
    main()
