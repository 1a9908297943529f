"""`deepprove-dist setup`: from an ONNX model and calibration samples to keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist import api
from deepprove_dist.cli import options
from deepprove_dist.cli.output import milliseconds, pairs_table, percent, records_table, report
from deepprove_dist.cli.progress import progress_bars

if TYPE_CHECKING:
    from rich.table import Table


@click.command("setup")
@click.argument("model", type=options.FILE)
@options.calibration_option
@options.calibration_method_option
@click.option(
    "--score",
    type=options.FILE,
    metavar="SAMPLES",
    help="Samples with labels, other than those for calibration, to report the accuracy on.",
)
@click.option(
    "-o", "--output", type=options.NEW_PATH, required=True, metavar="KEYS", help="Folder for the keys."
)
@options.model_options
@options.threads_option
@options.json_option
def command(
    model: Path, calibration: Path, score: Path | None, output: Path, as_json: bool, **settings: Any
) -> None:
    """Quantise the ONNX file MODEL and write its integer model and its keys.

    KEYS/verifying.key is small, holds no weights and is all that a verifier needs. Calibrate on one set of
    samples and score on another. The keys are a function of the integer model alone: the same one gives the
    same keys, byte for byte.

    Proofs are not zero-knowledge: whoever sees enough proofs of committed weights can compute all weights.
    `inspect KEYS/verifying.key` says how many: about as many as a column has rows divided by the queries.

    \b
    Example:
      deepprove-dist setup model.onnx --calibration calibration.npz --score test.npz -o keys
    """
    with progress_bars() as progress:
        keys = api.setup(model, calibration, score=score, progress=progress, **settings)
    api.save_keys(keys.proving, output)
    fields = {"keys": output, **dataclasses.asdict(keys.report)}
    report(fields, as_json=as_json, view=_view)


def _view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    yield records_table("Layers", fields["layers"])
    yield pairs_table(
        "Set-up",
        [
            ("parameters", f"{fields['parameters']:,}"),
            ("quantisation", milliseconds(fields["quantise_ms"])),
            ("keys", milliseconds(fields["setup_ms"])),
            ("ranges by", fields["range_rule"]),
            ("accuracy, float", percent(fields["float_accuracy"])),
            ("accuracy, quantised", percent(fields["quantised_accuracy"])),
            ("agreement of the two", percent(fields["agreement"])),
            ("samples clamped", str(fields["clamped_samples"])),
        ],
    )
    yield f"Keys written to {fields['keys']}"
