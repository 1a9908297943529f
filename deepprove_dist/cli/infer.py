"""`deepprove-dist infer`: what the integer model gives for some inputs, without a proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from deepprove_dist import api
from deepprove_dist.cli import options
from deepprove_dist.cli.output import by_name, milliseconds, report, text
from deepprove_dist.keys import INTEGER_MODEL, load_integer_model, require_keys


@click.command("infer")
@click.argument("keys", type=options.FOLDER)
@click.option("--input", "samples", type=options.FILE, required=True, metavar="INPUT", help="The input file.")
@options.index_option
@click.option(
    "--clamp", is_flag=True, help="Clamp values outside the calibrated range instead of refusing them."
)
@options.json_option
def command(keys: Path, samples: Path, index: range, clamp: bool, as_json: bool) -> None:
    """Run the integer model of the folder KEYS on inputs: exactly what a proof would say.

    \b
    Examples:
      deepprove-dist infer keys --input input.json
      deepprove-dist infer keys --input input.json --index 0:16 --json
    """
    model = load_integer_model(require_keys(keys) / INTEGER_MODEL)
    result = api.infer(model, api.load_input(model, samples, index), clamp=clamp)
    fields = {
        "inference_ms": result.inference_ms,
        "output": by_name(result.output),
        "output_integers": by_name(result.output_integers),
    }
    report(fields, as_json=as_json, view=_view)


def _view(fields: Mapping[str, Any]) -> Iterator[str]:
    yield f"output: {text(fields['output'])}"
    yield f"inference: {milliseconds(fields['inference_ms'])}"
