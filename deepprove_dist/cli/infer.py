"""`deepprove-dist infer`: what the integer model gives for some inputs, without a proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.output import by_name, milliseconds, report, text
from deepprove_dist.proving import infer
from deepprove_dist.proving_key import load_model, read_inputs


@sections.command("infer")
@click.argument("keys", type=options.KEYS, help="Folder of the keys.")
@options.input_option
@options.index_option
@options.clamp_option
@options.json_option
def command(keys: Path, samples: Path, index: range, clamp: bool, as_json: bool) -> None:
    """Run the integer model of the folder KEYS on inputs. A proof would state exactly this output.

    \b
    Examples:
      deepprove-dist infer keys --input input.json
      deepprove-dist infer keys --input input.json --index 0:16 --json
    """
    model = load_model(keys)
    result = infer(model, read_inputs(model, samples, index), clamp=clamp)
    fields = {
        "inference_ms": result.inference_ms,
        "output": by_name(result.output),
        "output_integers": by_name(result.output_integers),
    }
    report(fields, as_json=as_json, view=_view)


def _view(fields: Mapping[str, Any]) -> Iterator[str]:
    yield f"output: {text(fields['output'])}"
    yield f"inference: {milliseconds(fields['inference_ms'])}"
