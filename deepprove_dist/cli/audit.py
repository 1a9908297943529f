"""`deepprove-dist audit`: whether keys are those of a given model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from deepprove_dist.auditing import audit, is_integer_model
from deepprove_dist.cli import options
from deepprove_dist.cli.output import report


@click.command("audit")
@click.argument("keys", type=options.FOLDER)
@click.argument("model", type=options.FILE)
@click.option("--samples", type=options.FILE, help="Samples to run both models on.")
@options.json_option
@click.pass_context
def command(ctx: click.Context, keys: Path, model: Path, samples: Path | None, as_json: bool) -> None:
    """Compare the folder KEYS with MODEL, an ONNX file or an integer model file.

    A verifying key speaks of relations between numbers, not of layers: this is how someone who has the model
    sees that the key stands for it. An ONNX model is quantised again with the formats that the keys record.
    All nodes, weights, tables and scales must be the same. Then both models run on samples, and the outputs
    must be close. Without --samples the inputs are random, and only gross errors are seen: formats that fit
    no real input can pass.
    Exit status 1 where anything differs.

    \b
    Example:
      deepprove-dist audit keys model.onnx --samples held_out.npz
    """
    differences = audit(keys, model, samples=samples)
    inputs = "samples" if samples else "none" if is_integer_model(model) else "random"
    if inputs == "random" and not differences:
        click.echo("Warning: both models ran on random inputs only; give real ones with --samples", err=True)
    fields = {"same": not differences, "inputs": inputs, "differences": differences}
    report(fields, as_json=as_json, view=_view)
    ctx.exit(1 if differences else 0)


def _view(fields: Mapping[str, Any]) -> Iterator[str]:
    if fields["same"] and fields["inputs"] == "random":
        yield "The keys are those of the model, as far as random inputs show."
    elif fields["same"]:
        yield "The keys are those of the model."
    else:
        yield "The keys are not those of the model:"
        yield from (f"  {difference}" for difference in fields["differences"])
