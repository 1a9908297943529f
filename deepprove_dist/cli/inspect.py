"""`deepprove-dist inspect`: what a file of this package holds, and the error terms behind its security."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options
from deepprove_dist.cli.output import pairs_table, records_table, report, text
from deepprove_dist.inspecting import inspect_file, security_summary, security_terms
from deepprove_dist.verifier import load_verifying_key

if TYPE_CHECKING:
    from rich.table import Table


@click.command("inspect")
@click.argument("file", type=options.FILE)
@click.option(
    "--security",
    is_flag=True,
    help="List every error term of a verifying key, their sum in bits, and what that rests on.",
)
@options.json_option
def command(file: Path, security: bool, as_json: bool) -> None:
    """Say what is in FILE: an integer model, a key or a proof.

    Of a key that commits weights, proofs_revealing_weights is the number of proofs after which whoever has
    seen them can compute all weights. With --security: the sum of all errors of the protocol, every term of
    it, and what it rests on.

    \b
    Examples:
      deepprove-dist inspect proof
      deepprove-dist inspect keys/verifying.key --security
    """
    if security:
        report(_security(file), as_json=as_json, view=_security_view)
    else:
        report(inspect_file(file), as_json=as_json, view=_view)


def _security(file: Path) -> dict[str, Any]:
    key = load_verifying_key(file)
    terms = [{"name": name, "bits": bits, "detail": detail} for name, bits, detail in security_terms(key)]
    return {"terms": terms, **security_summary(key)}


def _security_view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    rows = [{**term, "bits": f"{term['bits']:.2f}"} for term in fields["terms"]]
    yield records_table("Error terms (bits)", rows)
    yield f"Sum of all terms: {fields['total_bits']:.2f} bits; {fields['required_bits']} are required"
    yield from (f"- {sentence}" for sentence in fields["rests_on"])


def _view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    lists = {name: value for name, value in fields.items() if _is_records(value)}
    yield pairs_table("", ((name, text(value)) for name, value in fields.items() if name not in lists))
    for name, records in lists.items():
        yield records_table(name, records)


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)
