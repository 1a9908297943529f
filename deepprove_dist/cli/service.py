"""`prove --service`: a proof that a service makes, as if it had been made here."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.commitments import save_openings
from deepprove_dist.cli.hiding import mode_fields
from deepprove_dist.cli.output import by_name
from deepprove_dist.cli.progress import progress_bars
from deepprove_dist.errors import InputError
from deepprove_dist.openings import Opening
from deepprove_dist.proofs import Proof
from deepprove_dist.protocol.key import key_file
from deepprove_dist.service.media import media_type
from deepprove_dist.verifying_key import VerifyingKey

if TYPE_CHECKING:
    from deepprove_dist.proving import Progress
    from deepprove_dist.service.client import Client

TOKEN = "DEEPPROVE_DIST_TOKEN"
_ASK_SECONDS = 1.0
_HERE_ONLY = ("opening_files", "auto_rekey", "threads", "trace", "dry_run", "workers", "local", "address")

service_options = sections.option_group(
    "Service",
    sections.option(
        "--service",
        metavar="URL",
        is_eager=True,
        help="Let a service prove, at this address. KEYS is the name of a key that it serves.",
    ),
    options.file_option(
        "--token-file", f"The token that the service asks for. Default: the variable {TOKEN}."
    ),
    sections.option(
        "--priority",
        type=click.IntRange(0, 9),
        default=0,
        show_default=True,
        help="Of the job; the higher, the earlier.",
    ),
    options.duration_option("--deadline", "The job fails where it has not ended by then."),
)
"""They arrive as the keyword arguments of `ServiceChoice`."""


class KeysOrName(click.Path):
    """A folder of keys; with `--service` the name of a key."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, which is there unless a service has the keys."""
        # An option that was not given has a value of click's own here.
        if ctx is not None and isinstance(ctx.params.get("service"), str):
            return Path(value)
        return super().convert(value, param, ctx)


KEYS_OR_NAME = KeysOrName(exists=True, path_type=Path)


@dataclass(frozen=True)
class ServiceChoice:
    """Where a proof is made, and how urgent it is."""

    service: str
    token_file: Path | None
    priority: int
    deadline: float | None

    def client(self) -> Client:
        """A client with the user's token. Raises InputError without one."""
        from deepprove_dist.service.client import Client
        from deepprove_dist.service.clients import read_token

        token = os.environ.get(TOKEN) if self.token_file is None else read_token(self.token_file)
        if not token:
            raise InputError(f"a service asks for a token: give --token-file, or set {TOKEN}")
        return Client(self.service, token)


def prove_by_service(
    choice: ServiceChoice,
    key: str,
    samples: Path,
    output: Path,
    *,
    index: range,
    context: str,
    clamp: bool,
    carry: bool,
) -> dict[str, Any]:
    """Submits a file of samples, waits for the proof, and writes it; the fields of the report.

    Control-C cancels the job. Raises what the client raises, and SamplesError for a file that is none of
    samples. Raises VerificationError for a proof that does not hold.
    """
    from deepprove_dist.service.client import decode_proof

    _require_no_other_options()
    client = choice.client()
    client.require_service()
    submit = partial(
        client.submit,
        key,
        samples.read_bytes(),
        media=media_type(samples),
        index=f"{index.start}:{index.stop}",
        context=context,
        clamp=clamp,
        carry=carry,
        priority=choice.priority,
        deadline=choice.deadline,
        idempotency_key=secrets.token_hex(16),
    )
    with progress_bars() as progress:
        try:
            job = _await_end(client, submit, progress or (lambda step, share: None))
        except KeyboardInterrupt:
            # Sent twice, it is the same job.
            client.cancel(submit()["id"])
            raise
    result, proof = job["result"], Proof(decode_proof(job))
    content = key_file.load(client.verifying_key(key))
    if carry and content.weights is not None:
        # The key is the service's too. Whoever does not trust it verifies with a key from elsewhere.
        VerifyingKey(content).verify(proof, context=context.encode())
    openings = {name: Opening.of_bytes(client.opening(job["id"], name)) for name in result["commitments"]}
    written = save_openings(openings, {}, output)
    proof.save(output)
    return {
        "proof": output,
        **mode_fields(content),
        **result,
        "rekeyed": False,
        "output": by_name(result["output"]),
        "output_integers": by_name(result["output_integers"]),
        "openings": written,
        "job": job["id"],
    }


def _require_no_other_options() -> None:
    """Raises UsageError for options that say how this machine proves, which it does not with a service."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in _HERE_ONLY and context.params[parameter.name]:
            raise click.UsageError(f"{parameter.opts[0]} says how this machine proves, and a service does it")


def _await_end(
    client: Client, submit: Callable[..., Mapping[str, Any]], progress: Progress
) -> Mapping[str, Any]:
    """The submitted job once it is done, with its proof. Raises JobFailed."""
    from deepprove_dist.service.client import ENDED, JobFailed

    ask = submit
    while True:
        begin, job = time.monotonic(), ask(wait=_ASK_SECONDS, proof=True)
        for phase in job["phases"]:
            if phase != job["phase"]:
                progress(phase, 1.0)
        if job["state"] in ENDED:
            break
        progress(job["phase"] or job["state"], 0.0)
        ask = partial(client.job, job["id"])
        # A service that ends answers at once.
        time.sleep(max(0.0, _ASK_SECONDS - (time.monotonic() - begin)))
    if job["state"] != "done":
        raise JobFailed(job)
    return job
