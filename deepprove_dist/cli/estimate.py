"""`deepprove-dist estimate`: what a model would cost, before any key is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.hiding import hiding_pairs
from deepprove_dist.cli.output import milliseconds, pairs_table, report, size, text
from deepprove_dist.estimating import estimate

if TYPE_CHECKING:
    from rich.table import Table


@sections.command("estimate")
@click.argument("model", type=options.FILE, help="An ONNX file.")
@options.selection_options
@options.model_options
@options.memory_option
@options.json_option
def command(model: Path, as_json: bool, **settings: Any) -> None:
    """Estimate memory, proving time and proof size of the ONNX file MODEL.

    No samples are needed: only the model's shapes count. Times are for two cores with AVX-512. Proofs hide
    weights and activations, and the last lines say what that costs. With --transparent they hide nothing.

    \b
    Example:
      deepprove-dist estimate model.onnx
    """
    report(asdict(estimate(model, **settings)), as_json=as_json, view=_view)


def _view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    pairs = [
        (name.replace("_", " "), _shown(name, value)) for name, value in fields.items() if name != "hiding"
    ]
    if (hiding := fields["hiding"]) is None:
        pairs.append(("proofs", "transparent: hides nothing"))
    else:
        pairs += hiding_pairs(hiding)
    yield pairs_table("Estimate", pairs)


def _shown(name: str, value: Any) -> str:
    if name.endswith("_ms"):
        return milliseconds(value)
    return size(value) if name.endswith("_bytes") else text(value)
