"""Models in folders: set up, proven and verified, one after the other.

    python -m benchmarks.folders FOLDER... [--transparent] [--samples 64] [--proofs 5] [--output FILE]
        [--output-form argmax] [--activation-bits 12] [--objective small] [--memory 4GB] [--good-for 16]

A folder has `model.onnx`, and `calibration.npz` with inputs by name. Set-up, proofs and the verifier have a
process each, as those who run the commands do. Memory is the most that the process of the proofs held. Of
proving and verifying it is the least of several. The error is that of the samples held out, over the outputs'
spread. Few samples hold none out. Beside the error is what noise of 0.1 % at the inputs does to the float
model, by the same measure.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import click
import numpy as np

import deepprove_dist as dp
from benchmarks.apart import apart
from benchmarks.noise import noise_error
from benchmarks.times import least_milliseconds
from deepprove_dist.arrays import FloatArray
from deepprove_dist.cli.options import ByteSize
from deepprove_dist.keys import VERIFYING_KEY
from deepprove_dist.memory import keep_free_memory, peak_rss_bytes

LABELS = "y"
"""In a file of samples beside the input "x"."""


VERIFICATIONS = 20
"""Of one proof."""

Inputs: TypeAlias = Mapping[str, FloatArray]
"""Samples [n, *shape] by name."""


@dataclass(frozen=True)
class Settings:
    """What is measured of each model: samples and proofs at most, and what `setup` is told."""

    samples: int
    proofs: int
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Proofs:
    """Least seconds of a proof, the most bytes that the process held, and the last proof."""

    seconds: float
    memory: int
    content: bytes


def measure(folder: Path, settings: Settings) -> Mapping[str, str]:
    """A row of the table. Raises DeepProveError where the model is refused."""
    with np.load(folder / "calibration.npz") as file:
        inputs = {name: file[name][: settings.samples] for name in file.files if name != LABELS}
    with TemporaryDirectory(prefix="deepprove-dist-") as keys:
        seconds, report = apart(_set_up, folder / "model.onnx", inputs, settings.options, Path(keys) / "keys")
        proofs = apart(_prove, Path(keys) / "keys", inputs, settings.proofs)
        verifying_ms = apart(_verify, Path(keys) / "keys" / VERIFYING_KEY, proofs.content)
    noise = apart(noise_error, folder / "model.onnx", inputs)
    errors = [output.error for output in report.outputs if output.samples != "calibration"]
    return {
        "model": folder.name,
        "weights": f"{report.parameters:,}",
        "bits": str(report.activation_bits),
        "set-up (s)": f"{seconds:.3g}",
        "proving (s)": f"{proofs.seconds:.3g}",
        "verifying (ms)": f"{verifying_ms:.3g}",
        "proof (KB)": f"{len(proofs.content) / 1024:.0f}",
        "memory (MB)": f"{proofs.memory / 1e6:.0f}",
        "error": f"{100 * max(errors):.2g} %" if errors else "",
        "error of noise": "" if noise is None else f"{100 * noise:.2g} %",
    }


def _set_up(
    model: Path, inputs: Inputs, options: Mapping[str, Any], folder: Path
) -> tuple[float, dp.SetupReport]:
    """Seconds of a set-up, whose keys go to a folder, and its report."""
    # As the command does.
    keep_free_memory()
    begin = time.perf_counter()
    keys = dp.setup(model, _as_given(inputs), accept_error=True, **options)
    seconds = time.perf_counter() - begin
    keys.save(folder)
    return seconds, keys.report


def _prove(folder: Path, inputs: Inputs, count: int) -> Proofs:
    keys, samples = dp.ProvingKey.load(folder), len(next(iter(inputs.values())))
    seconds, content = [], b""
    for number in range(count):
        chosen = {name: values[number % samples] for name, values in inputs.items()}
        begin = time.perf_counter()
        content = keys.prove(_as_given(chosen), clamp=True).content
        seconds.append(time.perf_counter() - begin)
    return Proofs(min(seconds), peak_rss_bytes(), content)


def _verify(key: Path, content: bytes) -> float:
    verifying = dp.VerifyingKey.load(key)
    return least_milliseconds(lambda: verifying.verify(content), VERIFICATIONS)


def _as_given(inputs: Inputs) -> FloatArray | Inputs:
    """A single input may have another name than the model's."""
    (first, *others) = inputs.values()
    return inputs if others else first


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
@click.option("--good-for", type=int, help="As `deepprove-dist setup --proofs`.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A CSV file for the rows.")
def command(
    folders: tuple[Path, ...],
    samples: int,
    proofs: int,
    activation_bits: str,
    good_for: int | None,
    output: Path | None,
    **options: Any,
) -> None:
    """Measures all folders; see the module."""
    options["activation_bits"] = int(activation_bits) if activation_bits.isdigit() else activation_bits
    settings, rows = Settings(samples, proofs, {**options, "proofs": good_for}), []
    for folder in folders:
        row = measure(folder, settings)
        rows.append(row)
        click.echo(", ".join(f"{name} {value}" for name, value in row.items()))
    if output is not None:
        with output.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    command()
