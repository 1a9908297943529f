"""`deepprove-dist inspect`: what a file of this package holds, and the error terms of its security."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.output import pairs_table, records_table, report, text
from deepprove_dist.inspecting import inspect
from deepprove_dist.public_list import public_list
from deepprove_dist.verifying_key import VerifyingKey

if TYPE_CHECKING:
    from rich.table import Table


@sections.command("inspect")
@click.argument(
    "file", type=options.KEYS, help="An integer model, a verifying key, a proof, or a folder of keys."
)
@sections.option(
    "--security",
    is_flag=True,
    help="List every error term of a verifying key, their sum in bits, and what that rests on.",
)
@sections.option(
    "--public",
    is_flag=True,
    help="List all that a verifier learns from a verifying key and its proofs.",
)
@options.json_option
def command(file: Path, security: bool, public: bool, as_json: bool) -> None:
    """Show what is in FILE: an integer model, a key, a proof, or a folder of keys.

    For a key, hides says what its proofs hide, and proofs how many an epoch allows. For a folder of keys,
    remaining is how many are left. For a transparent key of committed weights, proofs_revealing_weights is a
    number of proofs. Whoever has seen so many can compute all weights.

    With --security: every error term of the protocol, the sum of all of them, and what it rests on. With
    --public: all that a verifier learns.

    \b
    Examples:
      deepprove-dist inspect proof
      deepprove-dist inspect keys
      deepprove-dist inspect keys/verifying.key --security
      deepprove-dist inspect keys/verifying.key --public
    """
    if public:
        report(asdict(public_list(VerifyingKey.load(file).content)), as_json=as_json, view=_public_view)
    elif security:
        report(asdict(VerifyingKey.load(file).security()), as_json=as_json, view=_security_view)
    else:
        report(asdict(inspect(file)), as_json=as_json, view=_view)


def _public_view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    sentences = ("of_each_proof", "beyond")
    yield from _view({name: value for name, value in fields.items() if name not in sentences})
    yield "All of this is in the key. Each proof adds:"
    yield from (f"- {sentence}" for sentence in fields["of_each_proof"])
    yield "Beyond that:"
    yield from (f"- {sentence}" for sentence in fields["beyond"])


def _security_view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    rows = [
        {"name": term["name"], "bits": f"{term['bits']:.2f}", "detail": term["detail"]}
        for term in fields["terms"]
    ]
    yield records_table("Error terms (bits)", rows)
    yield f"Sum of all terms: {fields['total_bits']:.2f} bits; {fields['required_bits']} are required"
    yield from (f"- {sentence}" for sentence in fields["rests_on"])


def _view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    records = {name: value for name, value in fields.items() if _is_records(value)}
    yield pairs_table("", ((name, text(value)) for name, value in fields.items() if name not in records))
    for name, rows in records.items():
        yield records_table(name, rows)


def _is_records(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(row, Mapping) for row in value)
