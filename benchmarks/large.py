"""Large networks with random weights: what a proof costs, where it goes, and what the machine can do.

    python -m benchmarks.large FOLDER... [--proofs 5] [--output FILE]

A folder has `model.onnx` and `calibration.npz`; `make bench-large` makes those of the book. Keys are
transparent, with activations of 8 bits. Set-up and proofs have a process each, as with the commands. Memory
is the most that it held. Of all times it is the least of several proofs, after a first one.

Before each process another one writes as much memory and ends. Where the machine is a virtual one, its host
has found that memory then. A host gives half a gigabyte a second to some, which says nothing of a prover.

A column for each phase has its share of the proof. A value is an integer that the witness commits, and has
nanoseconds of the whole proof. A leaf is one of the fraction tree's without its padding, and has those of the
lookups. A weight has those of the opening.

The machine's limits are measured before: memory copied, pages cleared, and products of floats by all threads.
Beside them are this prover's own: a fraction tree, and encoding and hashing of a matrix.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

import deepprove_dist as dp
from benchmarks.apart import apart, touch_memory
from deepprove_dist.arrays import FloatArray
from deepprove_dist.cpu import default_threads
from deepprove_dist.kernels import (
    BaseVector,
    CodeShape,
    Commitment,
    Encoder,
    Extension,
    ExtensionVector,
    FractionLeaves,
    Pool,
    Transcript,
)
from deepprove_dist.memory import keep_free_memory, peak_rss_bytes
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.proving import ProofResult
from deepprove_dist.timing import Trace, recording

PHASES = ("witness", "commitment", "relations", "lookups", "opening")
BYTES = 1 << 28
LOG_LEAVES, LOG_VALUES, LOG_COLUMNS = 20, 22, 6


def least(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of the fastest of several runs."""
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def measure_machine() -> Mapping[str, str]:
    """A row of the limits of this machine."""
    pool, encoder = Pool(default_threads()), Encoder()
    source, side = np.ones(BYTES // 8), 2048
    target, factor = np.empty_like(source), np.ones((side, side), dtype=np.float32)
    copied = least(lambda: np.copyto(target, source))
    cleared = least(lambda: np.zeros(BYTES // 8).fill(0.0))
    product = least(lambda: factor @ factor)
    column = BaseVector.from_array(np.arange(1 << LOG_LEAVES, dtype=np.int64))
    leaves = FractionLeaves()
    leaves.add(0, LOG_LEAVES, Extension(3), [(Extension(5), (column, 0))])
    tree = least(lambda: leaves.prove(LOG_LEAVES, Transcript(b"bench"), pool, ExtensionVector([])))
    matrix = BaseVector.from_array(np.arange(1 << LOG_VALUES, dtype=np.int64))
    code = CodeShape(LOG_VALUES - LOG_COLUMNS, 1 << LOG_COLUMNS, 1, 0)
    encoded = least(lambda: Commitment.of_base(matrix, code, encoder, pool))
    return {
        "threads": str(default_threads()),
        "copied (GB/s)": f"{BYTES / copied / 1e9:.3g}",
        "cleared (GB/s)": f"{BYTES / cleared / 1e9:.3g}",
        "float products (Gflop/s)": f"{2 * side**3 / product / 1e9:.3g}",
        "tree (ns a leaf)": f"{1e9 * tree / (1 << LOG_LEAVES):.3g}",
        "code of rate 1/2 (ns a value)": f"{1e9 * encoded / (1 << LOG_VALUES):.3g}",
    }


@dataclass(frozen=True)
class Run:
    """A proof with its inference and its check.

    Attributes:
        seconds, busy: of it all, by the clock and of all cores together.
        phases: seconds of each phase of proving.
    """

    proof: ProofResult
    seconds: float
    busy: float
    phases: Mapping[str, float]

    @classmethod
    def of(cls, keys: dp.ProvingKey, sample: FloatArray) -> Run:
        """Of one sample."""
        begin, busy = time.perf_counter(), time.process_time()
        with recording(Trace()) as trace:
            proof = keys.prove(sample, clamp=True)
        seconds, busy = time.perf_counter() - begin, time.process_time() - busy
        phases = dict.fromkeys(PHASES, 0.0)
        for span in trace.of_kind("call"):
            if span.phase == "proving":
                phases[span.name] = phases.get(span.name, 0.0) + span.seconds
        return cls(proof, seconds, busy, phases)


@dataclass(frozen=True)
class SetUp:
    """Seconds and the most bytes of a set-up, and the number of the network's weights."""

    seconds: float
    memory: int
    weights: int


def measure(folder: Path, proofs: int) -> Mapping[str, str]:
    """A row for a network. Raises DeepProveError where it is refused."""
    with TemporaryDirectory(prefix="deepprove-dist-") as keys:
        touch_memory()
        set_up = apart(_set_up, folder, Path(keys) / "keys")
        touch_memory()
        row = apart(_prove, folder, Path(keys) / "keys", proofs, set_up.weights)
    return {
        "network": folder.name,
        "weights": f"{set_up.weights / 1e6:.3g} M",
        "set-up (s)": f"{set_up.seconds:.3g}",
        "its memory (MB)": f"{set_up.memory / 2**20:.0f}",
        **row,
    }


def _samples(folder: Path) -> FloatArray:
    with np.load(folder / "calibration.npz") as file:
        samples: FloatArray = file[file.files[0]]
    return samples


def _set_up(folder: Path, keys_folder: Path) -> SetUp:
    # As the command does.
    keep_free_memory()
    # Its modules are loaded before, from sources or from bytecode.
    samples, set_up = _samples(folder), dp.setup
    begin = time.perf_counter()
    keys = set_up(folder / "model.onnx", samples, transparent=True, accept_error=True, activation_bits=8)
    seconds, memory = time.perf_counter() - begin, peak_rss_bytes()
    keys.save(keys_folder)
    return SetUp(seconds, memory, keys.report.parameters)


def _prove(folder: Path, keys_folder: Path, proofs: int, weights: int) -> Mapping[str, str]:
    """The part of the row that proofs give."""
    # As the service does.
    keep_free_memory()
    samples, keys = _samples(folder), dp.ProvingKey.load(keys_folder)
    first, *runs = (Run.of(keys, samples[index % len(samples)]) for index in range(1 + proofs))
    best = min(runs, key=lambda run: run.seconds)
    proof, memory = best.proof, peak_rss_bytes()
    verifying = least(lambda: keys.verifying.verify(proof))
    instance = keys.verifying.content.instance(1)
    values = instance.system.values(Matrix.WITNESS)
    seconds = proof.proving_ms / 1e3
    return {
        "first proof (s)": f"{first.seconds:.3g}",
        "proof (s)": f"{best.seconds:.3g}",
        "of it inference (s)": f"{proof.inference_ms / 1e3:.3g}",
        **{name: f"{100 * best.phases[name] / seconds:.0f} %" for name in PHASES},
        "cores busy": f"{100 * best.busy / best.seconds / default_threads():.0f} %",
        "ns a value": f"{1e9 * seconds / values:.0f}",
        "ns a leaf": f"{1e9 * best.phases['lookups'] / instance.leaves.fractions:.0f}",
        "ns a weight": f"{1e9 * best.phases['opening'] / weights:.3g}",
        "verifying (ms)": f"{1e3 * verifying:.3g}",
        "proof (KB)": f"{len(proof.content) / 1024:.0f}",
        "memory (MB)": f"{memory / 2**20:.0f}",
    }


def write(rows: Sequence[Mapping[str, str]], file: Path) -> None:
    """A CSV file of rows."""
    with file.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument(
    "folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--proofs", default=5, show_default=True, help="Of each network, after a first one.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="A folder for CSV files.")
def command(folders: tuple[Path, ...], proofs: int, output: Path | None) -> None:
    """Measures the machine, then all folders; see the module."""
    tables: dict[str, list[Mapping[str, str]]] = {"large_machine": [], "large": []}
    work: list[tuple[str, Callable[[], Mapping[str, str]]]] = [
        ("large_machine", partial(apart, measure_machine)),
        *(("large", partial(measure, folder, proofs)) for folder in folders),
    ]
    for name, call in work:
        row = call()
        tables[name].append(row)
        click.echo(", ".join(f"{column} {value}" for column, value in row.items()))
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        for name, rows in tables.items():
            write(rows, output / f"{name}.csv")


if __name__ == "__main__":
    command()
