"""`deepprove-dist prove`: runs a model on one input and writes a proof of the result."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.cli.commitments import digests_by_name, opening_option, read_openings, save_openings
from deepprove_dist.cli.dry_run import dry_run_option, report_price
from deepprove_dist.cli.hiding import mode_fields, mode_words, transparent_warning
from deepprove_dist.cli.output import by_name, milliseconds, pairs_table, records_table, report, size, text
from deepprove_dist.cli.progress import progress_bars
from deepprove_dist.cli.service import KEYS_OR_NAME, ServiceChoice, prove_by_service, service_options
from deepprove_dist.cli.trace import trace_option, traced
from deepprove_dist.cli.workers import (
    cluster_options,
    opened,
    recovery_report,
    worker_options,
    worker_records,
)
from deepprove_dist.proving_key import ProvingKey

if TYPE_CHECKING:
    from rich.table import Table

logger = logging.getLogger(__name__)


auto_rekey_option = sections.option(
    "--auto-rekey", is_flag=True, help="Make the next epoch where no proof of hiding keys is left."
)


@sections.command("prove")
@click.argument("keys", type=KEYS_OR_NAME, help="Folder of the keys.")
@sections.option_group(
    "Statement",
    options.input_option,
    options.index_option,
    options.clamp_option,
    options.context_option,
    opening_option,
    options.proof_option,
)
@sections.option_group(
    "Budget",
    auto_rekey_option,
    sections.option(
        "--without-certificates",
        is_flag=True,
        help="Leave the certificates of a later epoch out of the proof, for verifiers that have them.",
    ),
)
@worker_options
@service_options
@options.threads_option
@options.memory_option
@trace_option
@dry_run_option
@options.json_option
def command(
    keys: Path,
    samples: Path,
    index: range,
    output: Path,
    context: str,
    opening_files: tuple[str, ...],
    clamp: bool,
    auto_rekey: bool,
    without_certificates: bool,
    threads: int | None,
    memory: int | None,
    trace: Path | None,
    dry_run: bool,
    as_json: bool,
    service: str | None,
    token_file: Path | None,
    priority: int,
    deadline: float | None,
    **workers: Any,
) -> None:
    """Prove what the model of the folder KEYS gives for one input, or for several.

    The proof file carries the statement: input, output and the key's digest. It is verified before it is
    written.

    Proofs of hiding keys are zero-knowledge: beside the statement they tell nothing of weights and
    activations. Each uses up one proof of the keys' budget, which KEYS counts. At zero nothing is proven any
    more, and `rekey` or --auto-rekey makes the next epoch. A folder that was copied is refused; `adopt` lets
    it prove.

    A hidden input or output has a commitment in the statement. The file PROOF.NAME.opening is written for
    each of them: whoever has it can `reveal` the values. With --opening, further proofs are about the same
    commitment.

    Proofs of transparent keys hide nothing. `inspect` says after how many the weights are known.

    \b
    Examples:
      deepprove-dist prove keys --input input.json -o proof
      deepprove-dist prove keys --input input.json --index 3 --context "order 1234" -o proof
      deepprove-dist prove keys --input input.json --workers 16 --cpus-per-worker 8 -o proof
      deepprove-dist prove keys --input input.json --workers 16 -o proof --dry-run
      deepprove-dist prove digits --input input.json --service http://127.0.0.1:8450 --token-file F -o proof
    """
    if service is not None:
        fields = prove_by_service(
            ServiceChoice(service, token_file, priority, deadline),
            str(keys),
            samples,
            output,
            index=index,
            context=context,
            clamp=clamp,
            carry=not without_certificates,
        )
        report(fields, as_json=as_json, view=_view)
        return
    wanted = cluster_options(**workers)
    if dry_run:
        report_price(keys, samples, index, wanted, auto_rekey=auto_rekey, as_json=as_json)
        return
    with traced(trace) as nodes, opened(wanted) as group:
        rekeyed = auto_rekey and rekey_if_spent(keys, threads)
        loaded = ProvingKey.load(keys, threads=threads, workers=group, memory=memory)
        inputs = loaded.read_inputs(samples, index)
        given = read_openings(opening_files, loaded.verifying.content.system.hidden)
        with progress_bars() as progress:
            proof = loaded.prove(
                inputs,
                context=context.encode(),
                clamp=clamp,
                progress=progress,
                carry=not without_certificates,
                openings=given,
            )
        # On disk before workers and their cluster are closed: whatever goes wrong there, the proof stays.
        written = save_openings(proof.openings, given, output)
        proof.save(output)
        ran_on, recovery = worker_records(group), recovery_report(group)
        nodes += [record["node"] for record in ran_on]
    logger.debug(
        "proof written to %s",
        output,
        extra={
            "event": "proof written",
            "proving_ms": round(proof.proving_ms, 3),
            "proof_bytes": len(proof),
            "remaining": proof.remaining,
        },
    )
    content = loaded.verifying.content
    if warning := transparent_warning(content):
        logger.warning("%s", warning)
    fields = {
        "proof": output,
        **mode_fields(content),
        "epoch": None if loaded.prover.epoch is None else loaded.prover.epoch.number,
        "remaining": proof.remaining,
        "rekeyed": rekeyed,
        "proving_ms": proof.proving_ms,
        "inference_ms": proof.inference_ms,
        "self_check_ms": proof.self_check_ms,
        "proof_bytes": len(proof),
        "peak_rss_bytes": proof.peak_rss_bytes,
        "output": by_name(proof.output),
        "output_integers": by_name(proof.output_integers),
        "commitments": digests_by_name({name: item.commitment for name, item in proof.openings.items()}),
        "openings": written,
        "workers": ran_on,
        "recovery": recovery,
    }
    report(fields, as_json=as_json, view=_view)


def rekey_if_spent(keys: Path, threads: int | None) -> bool:
    """Makes the next epoch where the folder's budget is gone; whether it did."""
    if ProvingKey.remaining_in(keys) != 0:
        return False
    ProvingKey.rekey_folder(keys, threads=threads)
    return True


def budget_pairs(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How many proofs the keys have left, where that matters: for people."""
    if fields["remaining"] is not None:
        yield "proofs left", f"{fields['remaining']:,} in epoch {fields['epoch']}"


def worker_tables(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    """Who did the work, and what was made again, where there are workers: for people."""
    if fields["workers"]:
        yield records_table("Workers", fields["workers"])
    counts = (fields["recovery"] or {"counts": {}})["counts"]
    if any(counts.values()):
        yield pairs_table(
            "Recovery", [(name.replace("_", " "), text(count)) for name, count in counts.items()]
        )


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
            ("proof", mode_words(fields)),
            *budget_pairs(fields),
        ],
    )
    yield from worker_tables(fields)
    for name, digest in fields["commitments"].items():
        yield f"Commitment to '{name}': {digest}"
    for path in fields["openings"]:
        yield f"Opening written to {path}: as secret as the values"
    yield f"Proof written to {fields['proof']}"
