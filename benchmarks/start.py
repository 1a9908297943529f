"""Whole processes of `prove` and `verify`: what a user waits for, from the shell's start to its prompt.

    python -m benchmarks.start FOLDER... [--repeats 9] [--program deepprove-dist]... [--output FILE]

A folder has `model.onnx`, `calibration.npz` and `input.json`. Its keys are transparent. Several programs, as
those of two checkouts, run in turn, so that all see the same machine. Figures are medians.
"""

from __future__ import annotations

import csv
import resource
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import click

import deepprove_dist as dp


@dataclass(frozen=True)
class Measure:
    """Medians of one command of one program.

    Attributes:
        program: the path of `deepprove-dist`.
        model: its folder's name.
        command: "prove" or "verify".
        wall_ms: from the start of the process to its end.
        cpu_ms: of all its threads, in the program and in the system.
    """

    program: str
    model: str
    command: str
    wall_ms: float
    cpu_ms: float


def measure(folder: Path, programs: Sequence[str], repeats: int) -> list[Measure]:
    """Both commands for the model in a folder, by each of the programs."""
    with tempfile.TemporaryDirectory() as scratch:
        keys, proof = Path(scratch) / "keys", Path(scratch) / "proof"
        dp.setup(folder / "model.onnx", folder / "calibration.npz", transparent=True).save(keys)
        commands = {
            "prove": ["prove", keys, "--input", folder / "input.json", "-o", proof],
            "verify": ["verify", keys / "verifying.key", proof],
        }
        return [
            Measure(program, folder.name, name, *map(median, zip(*runs, strict=True)))
            for name, command in commands.items()
            for program, runs in _in_turn(programs, list(map(str, command)), repeats).items()
        ]


def _in_turn(
    programs: Sequence[str], command: Sequence[str], repeats: int
) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds of each program, from start to end, and of CPUs. A first run is not counted."""
    rounds = [[_run([program, *command]) for program in programs] for _ in range(repeats + 1)][1:]
    return dict(zip(programs, map(list, zip(*rounds, strict=True)), strict=True))


def _run(command: Sequence[str]) -> tuple[float, float]:
    before, start = _cpu_seconds(), time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return 1e3 * (time.perf_counter() - start), 1e3 * (_cpu_seconds() - before)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--repeats", type=click.IntRange(min=1), default=9, show_default=True)
@click.option("--program", "programs", multiple=True, default=["deepprove-dist"], show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="A CSV file, in place of the terminal.")
def main(folders: Sequence[Path], repeats: int, programs: Sequence[str], output: Path | None) -> None:
    """Measures the commands for the models in FOLDERS."""
    rows = [asdict(row) for folder in folders for row in measure(folder, programs, repeats)]
    with click.open_file(str(output) if output else "-", "w") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
