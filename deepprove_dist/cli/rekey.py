"""`deepprove-dist rekey`: the next epoch of hiding keys, with a new budget of proofs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.output import report, size
from deepprove_dist.epochs import certificate_path
from deepprove_dist.proving_key import ProvingKey


@sections.command("rekey")
@click.argument("keys", type=options.KEYS, help="Folder of the keys.")
@options.threads_option
@options.json_option
def command(keys: Path, threads: int | None, as_json: bool) -> None:
    """Make the next epoch of the hiding keys in KEYS: the same weights with a new budget of proofs.

    The verifying key stays the same. A certificate in KEYS/epochs shows that the weights are the same, and
    proofs of the new epoch have it. A folder whose counter is lost proves again after this. One that was
    copied is refused, and `adopt` lets it go on.

    \b
    Example:
      deepprove-dist rekey keys
    """
    certificate = ProvingKey.rekey_folder(keys, threads=threads)
    epoch = certificate.new_epoch
    fields = {
        "keys": keys,
        "epoch": epoch,
        "certified_by": certificate.old_epoch,
        "certificate": certificate_path(keys, epoch),
        "certificate_bytes": len(certificate),
    }
    report(fields, as_json=as_json, view=_view)


def _view(fields: Mapping[str, Any]) -> Iterator[str]:
    yield f"{fields['keys']} proves in epoch {fields['epoch']} from now on"
    yield f"Certificate written to {fields['certificate']} ({size(fields['certificate_bytes'])})"
