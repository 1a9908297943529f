"""`deepprove-dist prove`: runs a model on one input and writes a proof of the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist import api
from deepprove_dist.atomic import write_atomically
from deepprove_dist.cli import options
from deepprove_dist.cli.output import by_name, milliseconds, pairs_table, records_table, report, size, text
from deepprove_dist.cli.progress import progress_bars
from deepprove_dist.cli.trace import trace_option, traced
from deepprove_dist.cli.workers import cluster_options, opened, worker_options, worker_records

if TYPE_CHECKING:
    from rich.table import Table


@click.command("prove")
@click.argument("keys", type=options.FOLDER)
@click.option("--input", "samples", type=options.FILE, required=True, metavar="INPUT", help="The input file.")
@options.index_option
@click.option(
    "-o", "--output", type=options.NEW_PATH, required=True, metavar="PROOF", help="File for the proof."
)
@click.option("--context", default="", metavar="TEXT", help="Text (a nonce, say) that the proof is bound to.")
@click.option(
    "--clamp", is_flag=True, help="Clamp values outside the calibrated range instead of refusing them."
)
@options.threads_option
@worker_options
@trace_option
@options.json_option
def command(
    keys: Path,
    samples: Path,
    index: range,
    output: Path,
    context: str,
    clamp: bool,
    threads: int | None,
    trace: Path | None,
    as_json: bool,
    **workers: Any,
) -> None:
    """Prove what the model of the folder KEYS gives for one input.

    The proof file carries the statement: input, output and the key's digest. It is verified before it is
    written. Proofs are succinct, not zero-knowledge: each opens some rows of the weights' code. Whoever sees
    about as many as a column has rows divided by the queries (16 for a small network, 102 for one of 264,000
    weights) can compute all weights; `inspect` says the number for a key.

    \b
    Examples:
      deepprove-dist prove keys --input input.json -o proof
      deepprove-dist prove keys --input input.json --index 3 --context "order 1234" -o proof
      deepprove-dist prove keys --input input.json --workers 16 --cpus-per-worker 8 -o proof
    """
    with traced(trace) as nodes, opened(cluster_options(**workers)) as group:
        proving = api.load_proving_key(keys, threads=threads, group=group)
        inputs = api.load_input(proving.model, samples, index)
        with progress_bars() as progress:
            result = api.prove(proving, inputs, context=context.encode(), clamp=clamp, progress=progress)
        ran_on = worker_records(group)
        nodes += [record["node"] for record in ran_on]
    write_atomically(output, result.proof)
    fields = {
        "proof": output,
        "proving_ms": result.proving_ms,
        "inference_ms": result.inference_ms,
        "self_check_ms": result.self_check_ms,
        "proof_bytes": len(result.proof),
        "peak_rss_bytes": result.peak_rss_bytes,
        "output": by_name(result.output),
        "output_integers": by_name(result.output_integers),
        "workers": ran_on,
    }
    report(fields, as_json=as_json, view=_view)


def _view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    yield pairs_table(
        "Proof",
        [
            ("output", text(fields["output"])),
            ("inference", milliseconds(fields["inference_ms"])),
            ("proving", milliseconds(fields["proving_ms"])),
            ("self-check", milliseconds(fields["self_check_ms"])),
            ("size", size(fields["proof_bytes"])),
            ("peak memory", size(fields["peak_rss_bytes"])),
        ],
    )
    if fields["workers"]:
        yield records_table("Workers", fields["workers"])
    yield f"Proof written to {fields['proof']}"
