"""`deepprove-dist adopt`: a folder of keys that was moved or copied may prove where it is now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.output import report
from deepprove_dist.proving_key import ProvingKey


@sections.command("adopt")
@click.argument("keys", type=options.KEYS, help="Folder of the keys.")
@options.json_option
def command(keys: Path, as_json: bool) -> None:
    """Let the folder KEYS prove where it is now: on another file system or machine, or after a restore.

    Two copies of a folder would spend the same budget of proofs twice, and then proofs no longer hide the
    weights. So no other copy may prove any more. It is a command of its own, since no script should do it
    each time.

    \b
    Example:
      deepprove-dist adopt keys
    """
    ProvingKey.adopt(keys)
    report({"keys": keys}, as_json=as_json, view=_view)


def _view(fields: Mapping[str, Any]) -> Iterator[str]:
    yield f"{fields['keys']} may prove. No other copy of it may."
