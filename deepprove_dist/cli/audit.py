"""`deepprove-dist audit`: whether keys are those of a given model."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from deepprove_dist.auditing import audit
from deepprove_dist.cli import options, sections
from deepprove_dist.cli.output import report

logger = logging.getLogger(__name__)


@sections.command("audit")
@click.argument("keys", type=options.KEYS, help="Folder of the keys.")
@click.argument("model", type=options.FILE, help="An ONNX file, or an integer model.")
@sections.option("--samples", type=options.FILE, help="Samples to run both models on.")
@options.selection_options
@options.json_option
def command(keys: Path, model: Path, samples: Path | None, as_json: bool, **selection: Any) -> None:
    """Compare the folder KEYS with MODEL, an ONNX file or an integer model file.

    A verifying key speaks of relations between numbers, not of layers. With this command, someone who has the
    model sees that the key stands for it. An ONNX model is quantised again with the formats that the keys
    record. All nodes, weights, tables and scales must be the same. Then both models run on samples, and the
    outputs must be close. Without --samples the inputs are random, which shows gross errors only: formats
    that fit no real input can pass.

    Hiding keys are compared with the secret in KEYS. Without it their commitment says nothing of the weights.

    The exit status is 1 where anything differs or could not be compared, and 2 for files that cannot be
    read.

    \b
    Example:
      deepprove-dist audit keys model.onnx --samples held_out.npz
    """
    result = audit(keys, model, samples=samples, **selection)
    if result.same and result.inputs == "random":
        logger.warning("both models ran on random inputs only; give real ones with --samples")
    report({"same": result.same, **asdict(result)}, as_json=as_json, view=_view)
    click.get_current_context().exit(0 if result.same else 1)


def _view(fields: Mapping[str, Any]) -> Iterator[str]:
    if fields["same"] and fields["inputs"] == "random":
        yield "The keys are those of the model, as far as random inputs show."
    elif fields["same"]:
        yield "The keys are those of the model."
    elif not fields["differences"]:
        yield "The keys may be those of the model: nothing differs, but not all could be compared."
    else:
        yield "The keys are not those of the model:"
        yield from (f"  {difference}" for difference in fields["differences"])
    yield from (f"Not compared: {sentence}." for sentence in fields["unchecked"])
