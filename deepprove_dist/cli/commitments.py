"""Commitments and openings on the command line: how a tensor is named, and where an opening is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from deepprove_dist.cli import sections
from deepprove_dist.errors import InputError
from deepprove_dist.openings import Opening
from deepprove_dist.protocol.messages.commitment import Commitment
from deepprove_dist.protocol.system.system import PublicTensor
from deepprove_dist.verifier import Statement

OPENING = ".opening"
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")

opening_option = sections.option(
    "--opening",
    "opening_files",
    multiple=True,
    metavar="[NAME=]FILE",
    help="Prove about the commitment to a hidden input or output that this file opens, instead of a new one.",
)
input_commitment_option = sections.option(
    "--input-commitment",
    "input_commitments",
    multiple=True,
    metavar="[NAME=]HEX",
    help="The digest of the commitment to a hidden input.",
)
output_commitment_option = sections.option(
    "--output-commitment",
    "output_commitments",
    multiple=True,
    metavar="[NAME=]HEX",
    help="The digest of the commitment to a hidden output.",
)


def read_openings(files: Sequence[str], hidden: Sequence[PublicTensor]) -> dict[str, Opening]:
    """The openings in files, by the tensor that each is for.

    That is the one that it names, or the only hidden one.

    Raises InputError for a file that names no hidden tensor, and what `Opening.load` raises.
    """
    names = [public.name for public in hidden]
    openings = {}
    for text in files:
        named, _, file = text.rpartition("=")
        opening = Opening.load(Path(file if named in names else text))
        fitting = [name for name in (named, opening.name) if name in names] or names
        if len(fitting) != 1 and fitting is names:
            raise InputError(f"{text} opens '{opening.name}', and the keys hide {names}: say NAME=FILE")
        name = fitting[0]
        openings[name] = opening
    return openings


def read_digests(
    option: str, texts: Sequence[str], hidden: Sequence[PublicTensor]
) -> dict[str, bytes] | None:
    """Digests of commitments, by the tensor that each is for; None where none are given.

    Raises BadParameter for what is no digest, and where it is not clear which tensor it is for.
    """
    names, digests = [public.name for public in hidden], dict[str, bytes]()
    for text in texts:
        named, _, digits = text.rpartition("=")
        if not named and len(names) != 1:
            raise click.BadParameter(f"the key hides {names or 'none'}: say NAME=HEX", param_hint=option)
        try:
            digests[named or names[0]] = bytes.fromhex(digits)
        except ValueError as error:
            raise click.BadParameter("give pairs of hexadecimal digits", param_hint=option) from error
    return digests or None


def save_openings(openings: Mapping[str, Opening], given: Mapping[str, Opening], proof: Path) -> list[Path]:
    """Writes the openings of a proof beside its file, but for those that were given; their paths."""
    paths = []
    for index, (name, opening) in enumerate(openings.items()):
        if name not in given:
            # A name may be anything: what is no plain file name is counted.
            part = name if _PLAIN.fullmatch(name) else str(index)
            paths.append(proof.with_name(f"{proof.name}.{part}{OPENING}"))
            opening.save(paths[-1])
    return paths


def digests_by_name(commitments: Mapping[str, Commitment]) -> dict[str, str]:
    """The digest of each commitment, hexadecimal, by the name of its tensor."""
    return {name: commitment.digest.hex() for name, commitment in commitments.items()}


def commitment_fields(statement: Statement) -> dict[str, dict[str, str]]:
    """The commitments of a statement, for programs."""
    return {
        "input_commitments": digests_by_name(statement.input_commitments),
        "output_commitments": digests_by_name(statement.output_commitments),
    }


def commitment_lines(fields: Mapping[str, Any]) -> Iterator[str]:
    """The same for people."""
    for direction in ("input", "output"):
        for name, digest in fields[f"{direction}_commitments"].items():
            yield f"hidden {direction} '{name}': commitment {digest}"
