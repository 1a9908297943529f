"""`deepprove-dist bench`: set-up, proving and verifying of one model, measured in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist import api
from deepprove_dist.cli import options
from deepprove_dist.cli.output import milliseconds, records_table, report, size
from deepprove_dist.cli.progress import progress_bars
from deepprove_dist.verifier import verify

if TYPE_CHECKING:
    from rich.table import Table

#: What is measured, in the order of the table: field -> words for it.
QUANTITIES = {
    "quantise_ms": "quantisation",
    "setup_ms": "keys",
    "inference_ms": "inference",
    "proving_ms": "proving",
    "self_check_ms": "self-check",
    "verifying_ms": "verifying",
    "proof_bytes": "proof",
    "peak_rss_bytes": "peak memory",
}


@click.command("bench")
@click.argument("model", type=options.FILE)
@options.calibration_option
@options.calibration_method_option
@click.option("--input", "samples", type=options.FILE, required=True, metavar="INPUT", help="The input file.")
@options.index_option
@click.option("--repeat", type=click.IntRange(min=1), default=5, show_default=True, help="Proofs to measure.")
@options.model_options
@options.threads_option
@options.json_option
def command(
    model: Path,
    calibration: Path,
    samples: Path,
    index: range,
    repeat: int,
    threads: int | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Measure set-up, proving and verifying of the ONNX file MODEL.

    The keys are made once and stay in memory; one proof warms up; then --repeat proofs are made and verified.
    Prints medians; --json adds all samples.

    \b
    Example:
      deepprove-dist bench model.onnx --calibration calibration.npz --input input.json --repeat 5
    """
    with progress_bars() as progress:
        # Times do not depend on how exact a model is.
        keys = api.setup(
            model, calibration, accept_error=True, threads=threads, progress=progress, **settings
        )
        inputs = api.load_input(keys.proving.model, samples, index)
        measured: dict[str, list[float]] = {name: [] for name in QUANTITIES}
        measured["quantise_ms"].append(keys.report.quantise_ms)
        measured["setup_ms"].append(keys.report.setup_ms)
        _prove_and_verify(keys, inputs)
        for done in range(repeat):
            for name, value in _prove_and_verify(keys, inputs).items():
                measured[name].append(value)
            if progress is not None:
                progress("proofs", (done + 1) / repeat)

    medians = {name: statistics.median(values) for name, values in measured.items()}
    fields = {
        "model": model,
        "repeat": repeat,
        "parameters": keys.report.parameters,
        **medians,
        "samples": measured,
    }
    report(fields, as_json=as_json, view=_view)


def _prove_and_verify(keys: api.Keys, inputs: Any) -> dict[str, float]:
    proved = api.prove(keys.proving, inputs, clamp=True)
    weights = keys.proving.public_weights
    begin = time.perf_counter()
    verify(keys.verifying, proved.proof, weights=weights)
    return {
        "verifying_ms": 1e3 * (time.perf_counter() - begin),
        "inference_ms": proved.inference_ms,
        "proving_ms": proved.proving_ms,
        "self_check_ms": proved.self_check_ms,
        "proof_bytes": len(proved.proof),
        "peak_rss_bytes": proved.peak_rss_bytes,
    }


def _view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    rows = []
    for name, words in QUANTITIES.items():
        shown = milliseconds if name.endswith("_ms") else size
        values = fields["samples"][name]
        rows.append(
            {
                "": words,
                "median": shown(fields[name]),
                "least": shown(min(values)),
                "most": shown(max(values)),
            }
        )
    yield f"{fields['model']}: {fields['parameters']:,} parameters, {fields['repeat']} proofs"
    yield records_table("", rows)
