"""`deepprove-dist setup`: from an ONNX model and calibration samples to keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.failures import with_flags
from deepprove_dist.cli.hiding import hiding_pairs, mode_fields, mode_words
from deepprove_dist.cli.output import (
    milliseconds,
    pairs_table,
    percent,
    records_table,
    report,
    text,
)
from deepprove_dist.cli.progress import progress_bars
from deepprove_dist.keys import require_room
from deepprove_dist.memory import keep_free_memory
from deepprove_dist.protocol.system.names import printable
from deepprove_dist.setting_up import setup

if TYPE_CHECKING:
    from rich.table import Table


@sections.command("setup")
@click.argument("model", type=options.FILE, help="An ONNX file.")
@sections.option_group(
    "Samples", options.calibration_option, options.calibration_method_option, options.score_option
)
@options.selection_options
@options.model_options
@options.memory_option
@sections.option_group(
    "Output",
    sections.option(
        "-o", "--keys", type=options.NEW_PATH, required=True, metavar="KEYS", help="Folder for the keys."
    ),
    options.accept_error_option,
)
@options.threads_option
@options.json_option
def command(
    model: Path,
    calibration: Path | None,
    score: Path | None,
    keys: Path,
    transparent: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Quantise the ONNX file MODEL and write its integer model and its keys.

    KEYS/verifying.key is small and holds no weights. It is all that a verifier needs. Calibrate on one set of
    samples, and score on another.

    Proofs are zero-knowledge: they hide weights and activations. KEYS/proving.secret is what they are hidden
    with. Each proof uses up a part of what hides the weights. So keys allow a number of proofs, and the
    report says how many: the default costs little, and --proofs asks for more. `rekey` makes the next epoch.
    KEYS may hold no other set-up.

    With --transparent proofs hide nothing. Who sees enough of them can compute all weights. That takes about
    as many proofs as a column has rows, divided by the queries.

    Outputs of the file that are constant are not proven, and the report names them. --output proves the part
    up to a tensor of any name.

    An error is the integer model's distance from the float model, over the spread of the float values. The
    spread is their standard deviation. Above 5 % at an output, or below 98 % equal answers, there are
    warnings on standard error. They name where the error begins, why, and what helps. Above 20 % no keys are
    made without --accept-error.

    \b
    Example:
      deepprove-dist setup model.onnx --calibration calibration.npz --score test.npz -o keys
    """
    # Before the work begins.
    require_room(keys, hiding=not transparent)
    # Set-up frees and takes large arrays for each sample.
    keep_free_memory()
    with progress_bars() as progress:
        result = setup(
            model, calibration, score=score, transparent=transparent, progress=progress, **settings
        )
    result.save(keys)
    for warning in result.report.warnings:
        click.echo(printable(f"Warning: {with_flags(str(warning))}", keep="\n"), err=True)
    fields = {"keys": keys, **mode_fields(result.verifying.content), **dataclasses.asdict(result.report)}
    report(fields, as_json=as_json, view=_view)


def _view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    yield records_table("Layers", [_with_percents(layer) for layer in fields["layers"]])
    yield records_table("Inputs", [_input(record) for record in fields["inputs"]])
    yield records_table("Outputs", [_with_percents(output) for output in fields["outputs"]])
    yield pairs_table("Set-up", _pairs(fields))
    yield f"Keys written to {fields['keys']}"


def _pairs(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What was measured; accuracies and distances need samples to score that say what is right."""
    yield "parameters", f"{fields['parameters']:,}"
    yield "quantisation", milliseconds(fields["quantise_ms"])
    yield "keys", milliseconds(fields["setup_ms"])
    yield "activations", f"{fields['activation_bits']} bits"
    yield "ranges by", fields["range_rule"]
    if fields["float_accuracy"] is not None:
        yield "accuracy, float", percent(fields["float_accuracy"])
        yield "accuracy, quantised", percent(fields["quantised_accuracy"])
    if fields["float_error"] is not None:
        yield "distance from targets, float", text(fields["float_error"])
        yield "distance from targets, quantised", text(fields["quantised_error"])
    if fields["float_next_tokens"] is not None:
        yield "next tokens, float", percent(fields["float_next_tokens"])
        yield "next tokens, quantised", percent(fields["quantised_next_tokens"])
    if fields["float_perplexity"] is not None:
        yield "perplexity, float", text(fields["float_perplexity"])
        yield "perplexity, quantised", text(fields["quantised_perplexity"])
    if fields["agreement"] is not None:
        yield "agreement of the two", percent(fields["agreement"])
    yield "samples clamped", str(fields["clamped_samples"])
    if fields["turned_samples"] is not None:
        yield "samples decided otherwise", str(fields["turned_samples"])
    if fields["left_out"]:
        yield "outputs not proven", ", ".join(fields["left_out"])
    yield "proofs", mode_words(fields)
    if (hiding := fields["hiding"]) is not None:
        yield from hiding_pairs(hiding)


def _with_percents(record: Mapping[str, Any]) -> dict[str, Any]:
    shares = {name: percent(value) for name, value in record.items() if name in _SHARES}
    return {_WORDS.get(name, name): shares.get(name, value) for name, value in record.items()}


def _input(record: Mapping[str, Any]) -> dict[str, Any]:
    margins = f"{percent(record['margin_below'])} below, {percent(record['margin_above'])} above"
    return {
        "input": record["name"],
        "range": [record["lowest"], record["highest"]],
        "margin": margins,
        "scales": record["scales"],
    }


_SHARES = ("error", "channel_error", "agreement")
_WORDS = {"channel": "worst channel", "channel_error": "its error"}
