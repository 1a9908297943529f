"""`deepprove-dist reveal`: opens a commitment to a hidden input or output, and shows its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.output import report, text
from deepprove_dist.errors import VerificationError
from deepprove_dist.openings import Opening
from deepprove_dist.verifying_key import VerifyingKey


def _digest(ctx: click.Context, parameter: click.Parameter, digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise click.BadParameter("give pairs of hexadecimal digits", ctx, parameter) from error


@sections.command("reveal")
@click.argument("opening", type=options.FILE, help="The opening.")
@sections.option(
    "--commitment",
    required=True,
    callback=_digest,
    metavar="HEX",
    help="The digest of the commitment, as `verify` prints it.",
)
@sections.option("--key", type=options.KEYS, metavar="KEY", help="A verifying key: shows real values too.")
@sections.option(
    "--name", metavar="NAME", help="The key's input or output; the one that the opening names by default."
)
@options.json_option
@click.pass_context
def command(
    ctx: click.Context, opening: Path, commitment: bytes, key: Path | None, name: str | None, as_json: bool
) -> None:
    """Open a commitment to a hidden input or output with the file OPENING, and show its values.

    `prove` writes an opening beside a proof, for each hidden input and output. Whoever has it learns the
    values. The commitment is computed again from the integers and the random rows in the file. A commitment
    is to integers: with --key they are shown in the units of that key too.

    The exit status is 0 if the file opens the commitment, and 1 if it does not. It is 2 for files that
    cannot be read.

    \b
    Example:
      deepprove-dist reveal proof.x.opening --commitment 5b1f... --key keys/verifying.key
    """
    loaded = Opening.load(opening)
    verifying = None if key is None else VerifyingKey.load(key)
    fields: dict[str, Any] = {"valid": True, "name": loaded.name, "commitment": commitment}
    try:
        if verifying is not None:
            fields["values"] = verifying.reveal(loaded, commitment, name=name)
        fields["integers"] = loaded.verify(commitment)
    except VerificationError as error:
        fields |= {"valid": False, "error": {"check": error.check.value, "message": error.message}}
        fields.pop("values", None)
    report(fields, as_json=as_json, view=_view)
    ctx.exit(0 if fields["valid"] else 1)


def _view(fields: Mapping[str, Any]) -> Iterator[str]:
    if not fields["valid"]:
        yield f"NOT valid: {fields['error']['check']}: {fields['error']['message']}"
        return
    yield f"'{fields['name']}', commitment {fields['commitment'].hex()}"
    yield f"integers: {text(fields['integers'])}"
    if "values" in fields:
        yield f"values:   {text(fields['values'])}"
