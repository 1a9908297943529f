"""`deepprove-dist bench`: set-up, proving and verifying of one model, measured in one process."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.hiding import mode_fields, mode_words
from deepprove_dist.cli.output import milliseconds, records_table, report, size
from deepprove_dist.cli.progress import progress_bars
from deepprove_dist.key_budget import KeyBudget
from deepprove_dist.proving import Inputs
from deepprove_dist.proving_key import ProvingKey
from deepprove_dist.setting_up import setup

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


@sections.command("bench")
@click.argument("model", type=options.FILE, help="An ONNX file.")
@sections.option_group(
    "Samples",
    options.calibration_option,
    options.calibration_method_option,
    options.input_option,
    options.index_option,
)
@sections.option(
    "--repeat",
    type=click.IntRange(min=1),
    metavar="N",
    default=5,
    show_default=True,
    help="Proofs to measure.",
)
@options.selection_options
@options.model_options
@options.threads_option
@options.json_option
def command(
    model: Path,
    calibration: Path | None,
    samples: Path,
    index: range,
    repeat: int,
    threads: int | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Measure set-up, proving and verifying of the ONNX file MODEL.

    The keys are made once, and stay in memory: hiding ones unless --transparent is given. One proof warms up.
    Then --repeat proofs are made and verified. The table has medians; --json adds every measured value.

    \b
    Example:
      deepprove-dist bench model.onnx --calibration calibration.npz --input input.json --repeat 5
    """
    with progress_bars() as progress:
        # Times do not depend on how exact a model is.
        keys = setup(model, calibration, accept_error=True, threads=threads, progress=progress, **settings)
        if keys.hiding:
            # These proofs are thrown away: there is nothing to count.
            keys = dataclasses.replace(keys, budget=KeyBudget(None))
        inputs = keys.read_inputs(samples, index)
        measured: dict[str, list[float]] = {name: [] for name in QUANTITIES}
        measured["quantise_ms"].append(keys.report.quantise_ms)
        measured["setup_ms"].append(keys.report.setup_ms)
        _prove_and_verify(keys, inputs)
        for count in range(1, repeat + 1):
            for name, value in _prove_and_verify(keys, inputs).items():
                measured[name].append(value)
            if progress is not None:
                progress("proofs", count / repeat)

    medians = {name: statistics.median(values) for name, values in measured.items()}
    fields = {
        "model": model,
        "repeat": repeat,
        **mode_fields(keys.verifying.content),
        "hiding": None if keys.report.hiding is None else dataclasses.asdict(keys.report.hiding),
        "parameters": keys.report.parameters,
        **medians,
        "samples": measured,
    }
    report(fields, as_json=as_json, view=_view)


def _prove_and_verify(keys: ProvingKey, inputs: Inputs) -> dict[str, float]:
    proof, verifying = keys.prove(inputs, clamp=True), keys.verifying
    begin = time.perf_counter()
    verifying.verify(proof)
    return {
        "verifying_ms": 1e3 * (time.perf_counter() - begin),
        "inference_ms": proof.inference_ms,
        "proving_ms": proof.proving_ms,
        "self_check_ms": proof.self_check_ms,
        "proof_bytes": len(proof),
        "peak_rss_bytes": proof.peak_rss_bytes,
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
                "minimum": shown(min(values)),
                "maximum": shown(max(values)),
            }
        )
    yield f"{fields['model']}: {fields['parameters']:,} parameters, {fields['repeat']} proofs"
    yield f"proofs: {mode_words(fields)}"
    yield records_table("", rows)
