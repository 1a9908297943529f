"""Models in folders: set up, proven and verified, one after the other.

    python -m benchmarks.folders FOLDER... [--transparent] [--samples 64] [--proofs 5] [--output FILE]
        [--output-form argmax] [--activation-bits 12] [--objective small] [--memory 4GB]

A folder has `model.onnx`, and `calibration.npz` with inputs by name. Of proving and verifying it is the least
of several. Each folder has a process of its own, so memory is the most that its process held. The error is
that of the samples held out, over the outputs' spread. Few samples hold none out. Beside the error is what
noise of 0.1 % at the inputs does to the float model, by the same measure.
"""

from __future__ import annotations

import csv
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

import deepprove_dist as dp
from benchmarks.apart import apart
from benchmarks.noise import noise_error
from deepprove_dist.cli.options import ByteSize
from deepprove_dist.memory import keep_free_memory

LABELS = "y"
"""In a file of samples beside the input "x"."""


@dataclass(frozen=True)
class Settings:
    """What is measured of each model: samples and proofs at most, and what `setup` is told."""

    samples: int
    proofs: int
    options: Mapping[str, Any]


def measure(folder: Path, settings: Settings) -> Mapping[str, str]:
    """A row of the table. Raises DeepProveError where the model is refused."""
    # As the commands of set-up and service do.
    keep_free_memory()
    with np.load(folder / "calibration.npz") as file:
        inputs = {name: file[name][: settings.samples] for name in file.files if name != LABELS}
    # A single input may have another name than the model's.
    (alone, *others) = inputs.values()
    begin = time.perf_counter()
    samples = inputs if others else alone
    keys = dp.setup(folder / "model.onnx", samples, accept_error=True, **settings.options)
    ready = time.perf_counter() - begin
    proving, verifying, size = [], [], 0
    for number in range(settings.proofs):
        index = number % len(alone)
        chosen = {name: values[index] for name, values in inputs.items()}
        begin = time.perf_counter()
        proof = keys.prove(chosen if others else alone[index], clamp=True)
        proven = time.perf_counter()
        keys.verifying.verify(proof)
        verifying.append(time.perf_counter() - proven)
        proving.append(proven - begin)
        size = len(proof.content)
    # Before the float model runs with noise: that is no part of what is measured.
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    noise = noise_error(folder / "model.onnx", inputs)
    errors = [output.error for output in keys.report.outputs if output.samples != "calibration"]
    return {
        "model": folder.name,
        "weights": f"{keys.report.parameters:,}",
        "bits": str(keys.report.activation_bits),
        "set-up (s)": f"{ready:.3g}",
        "proving (s)": f"{min(proving):.3g}",
        "verifying (ms)": f"{1e3 * min(verifying):.3g}",
        "proof (KB)": f"{size / 1024:.0f}",
        "memory (MB)": f"{memory / 1024:.0f}",
        "error": f"{100 * max(errors):.2g} %" if errors else "",
        "error of noise": "" if noise is None else f"{100 * noise:.2g} %",
    }


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument(
    "folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--transparent", is_flag=True, help="Proofs that hide nothing.")
@click.option("--samples", default=64, show_default=True, help="To calibrate with, and to hold out, at most.")
@click.option("--proofs", default=5, show_default=True, help="Of each model.")
@click.option("--output-form", default="all", show_default=True, help="As of `deepprove-dist setup`.")
@click.option("--activation-bits", default="auto", show_default=True, help="As of `deepprove-dist setup`.")
@click.option("--objective", default="default", show_default=True, help="As of `deepprove-dist setup`.")
@click.option("--memory", type=ByteSize(), help="As of `deepprove-dist setup`.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A CSV file for the rows.")
def command(
    folders: tuple[Path, ...],
    samples: int,
    proofs: int,
    activation_bits: str,
    output: Path | None,
    **options: Any,
) -> None:
    """Measures all folders; see the module."""
    options["activation_bits"] = int(activation_bits) if activation_bits.isdigit() else activation_bits
    settings, rows = Settings(samples, proofs, options), []
    for folder in folders:
        row = apart(measure, folder, settings)
        rows.append(row)
        click.echo(", ".join(f"{name} {value}" for name, value in row.items()))
    if output is not None:
        with output.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    command()
