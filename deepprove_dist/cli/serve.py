"""`deepprove-dist serve`: proofs over HTTP, from keys that stay loaded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.workers import cluster_options, worker_options
from deepprove_dist.memory import memory_limit
from deepprove_dist.service.packages import require_serve, require_service_packages

if TYPE_CHECKING:
    from deepprove_dist.service.local_server import Listening
    from deepprove_dist.service.settings import ServiceSettings

_MB = 1 << 20
_HOUR = 3600.0

_listen_options = sections.option_group(
    "Listening",
    sections.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at."),
    sections.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=8450,
        show_default=True,
        help="Port; 0 takes any free one.",
    ),
    options.file_option(
        "--token-file",
        "A line for each client: its name, its token, and perhaps its highest priority. Default: one "
        "client, whose token is written into the state folder.",
    ),
    options.file_option("--tls-cert", "Certificate, for HTTPS."),
    options.file_option("--tls-key", "Its private key."),
)

_store_options = sections.option_group(
    "What is kept",
    sections.option(
        "--state",
        type=options.NEW_PATH,
        metavar="FOLDER",
        default="deepprove-service",
        show_default=True,
        help="Folder of tokens, jobs and proofs.",
    ),
    sections.option(
        "--database", metavar="URL", help="Jobs in another database, by SQLAlchemy's address of it."
    ),
    sections.option(
        "--artifacts", metavar="URL", help="Inputs and proofs elsewhere, by fsspec's address: s3://bucket/x."
    ),
    options.duration_option(
        "--keep", "Time after which a job that has ended is removed, with its proof.", 168.0, "HOURS"
    ),
)

_limit_options = sections.option_group(
    "Limits",
    sections.option(
        "--memory",
        type=options.ByteSize(),
        metavar="SIZE",
        help="The most memory that keys and proofs may take: 20GB. Default: 80 % of the machine's, or what "
        "the cluster says it has.",
    ),
    options.count_option("--max-body", "Size of a submission.", 64, "MB"),
    options.duration_option("--job-timeout", "Time that a proof may take.", 3600.0),
    options.count_option("--max-queued", "Jobs of a client that may wait; ten times as many of all.", 1000),
    options.duration_option(
        "--drain-timeout", "Time that the proof in progress may take once the service is told to end.", 60.0
    ),
)


class RunnerRange(click.ParamType[tuple[int, int]]):
    """A number of runners, "2", or the least and the largest, "1:4"."""

    name = "N|A:B"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Both numbers."""
        least, colon, most = str(value).partition(":")
        most = most if colon else least
        if not least.isdecimal() or not most.isdecimal() or not 1 <= int(least) <= int(most):
            self.fail(
                f"{value!r} is neither a number nor two rising ones with a colon between them", param, ctx
            )
        return int(least), int(most)


@sections.command("serve")
@click.argument("keys", nargs=-1, metavar="KEYS...")
@_listen_options
@_store_options
@_limit_options
@sections.option(
    "--auto-rekey", is_flag=True, help="Make the next epoch where no proof of hiding keys is left."
)
@sections.option(
    "--share-small", is_flag=True, help="Workers prove small networks too, which takes longer than without."
)
@worker_options
@sections.option(
    "--runners",
    type=RunnerRange(),
    default="1",
    show_default=True,
    help="On a cluster: proofs at once, each with workers of its own. 1:4 follows the queue.",
)
@sections.option(
    "--stop", is_flag=True, help="End the service on a cluster, once the proof in progress is finished."
)
@options.threads_option
@options.json_option
def command(
    keys: tuple[str, ...],
    host: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    as_json: bool,
    local: bool,
    workers: int | None,
    address: str | None,
    runners: tuple[int, int],
    stop: bool,
    **chosen: Any,
) -> None:
    """Serve proofs over HTTP, with the keys of the folders KEYS, which stay loaded.

    A key is called by its folder's name; NAME=FOLDER calls it otherwise. Jobs are kept until they are done:
    after a crash the next start goes on with them. SIGTERM finishes the proof in progress, and ends.

    With --local, or without a cluster, all runs on this machine. On a Ray cluster it is an application of Ray
    Serve, which goes on after this command has ended.

    \b
    Examples:
      deepprove-dist serve keys --local
      deepprove-dist serve digits=keys faces=other-keys --workers 4 --local
      deepprove-dist serve keys --workers 16 --address auto
      deepprove-dist serve --stop --address auto
    """
    require_service_packages()
    from deepprove_dist.service.local_server import Listening, serve_locally

    address = None if local else address or os.environ.get("RAY_ADDRESS")
    if stop:
        _stop(address, as_json=as_json)
        return
    if not keys:
        raise click.UsageError("give the folders of the keys")
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    settings = _settings(keys, local=local, workers=workers, address=address, **chosen)
    if settings.prepare():
        click.echo(f"A token for one client was written to {settings.token_file}", err=True)
    listening = Listening(host, port, tls_cert, tls_key)
    _warn(listening)
    show = _shower(settings, as_json=as_json)
    if address is None:
        serve_locally(settings, listening, show)
        return
    require_serve()
    from deepprove_dist.service.deployment import Deployment, deploy

    show(deploy(Deployment(settings, listening, address, runners, chosen["memory"] is None)))


def _stop(address: str | None, *, as_json: bool) -> None:
    if address is None:
        raise click.UsageError("--stop is for a cluster: give --address. Elsewhere send the process SIGTERM")
    require_serve()
    from deepprove_dist.service.deployment import Removal, remove

    remove(Removal(address))
    click.echo(json.dumps({"stopped": address}) if as_json else f"The service on {address} has ended")


def _settings(
    keys: tuple[str, ...],
    *,
    token_file: Path | None,
    state: Path,
    database: str | None,
    artifacts: str | None,
    keep: float,
    memory: int | None,
    max_body: int,
    job_timeout: float,
    max_queued: int,
    drain_timeout: float,
    auto_rekey: bool,
    share_small: bool,
    threads: int | None,
    **cluster: Any,
) -> ServiceSettings:
    from deepprove_dist.service.runner import RunnerOptions
    from deepprove_dist.service.settings import ServiceSettings
    from deepprove_dist.service.submission_checks import SubmissionLimits

    limits = SubmissionLimits(
        body_bytes=max_body * _MB,
        queued=10 * max_queued,
        queued_of_client=max_queued,
        memory_bytes=memory_limit(memory),
        job_seconds=job_timeout,
        workers=cluster["workers"] or 1,
    )
    return ServiceSettings(
        keys,
        state,
        database,
        artifacts,
        token_file,
        cluster_options(**cluster),
        share_small=share_small,
        threads=threads,
        limits=limits,
        options=RunnerOptions(job_timeout, keep * _HOUR, auto_rekey),
        drain_seconds=drain_timeout,
    )


def _warn(listening: Listening) -> None:
    if listening.host not in ("127.0.0.1", "::1", "localhost") and listening.certificate is None:
        click.echo(
            f"Warning: tokens and inputs travel to {listening.host} as they are. Give --tls-cert and "
            "--tls-key, or put a proxy with TLS before the service",
            err=True,
        )


def _shower(settings: ServiceSettings, *, as_json: bool) -> Any:
    def show(url: str) -> None:
        if as_json:
            fields = {"url": url, "token_file": str(settings.token_file), "process": os.getpid()}
            click.echo(json.dumps(fields))
        else:
            click.echo(f"Serving at {url}\nThe token of a client is in {settings.token_file}")

    return show
