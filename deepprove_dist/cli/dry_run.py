"""`prove --dry-run`: what a proof would take, from its command line, before anything is loaded or started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepprove_dist.cli import sections
from deepprove_dist.cli.hiding import mode_fields, mode_words
from deepprove_dist.cli.output import milliseconds, pairs_table, percent, records_table, report, size
from deepprove_dist.errors import BudgetError
from deepprove_dist.keys import VERIFYING_KEY, load_budget, require_keys
from deepprove_dist.samples import read_samples
from deepprove_dist.verifier import load_verifying_key

if TYPE_CHECKING:
    from rich.table import Table

    from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions

dry_run_option = sections.option(
    "--dry-run",
    is_flag=True,
    help="Say what the proof would take: time, memory, bytes, and the shares of workers. Nothing is loaded, "
    "started, written or counted.",
)


def report_price(
    keys: Path,
    samples: Path,
    index: range,
    wanted: ClusterOptions | None,
    *,
    auto_rekey: bool,
    as_json: bool,
) -> None:
    """Prints the price of a proof of these samples, by one process or by the workers that are wanted.

    Raises what `prove` would raise for such keys, and for samples of another number or shape.
    """
    content = load_verifying_key(require_keys(keys) / VERIFYING_KEY)
    budget = load_budget(keys, content)
    remaining = None if budget is None else budget.remaining
    if remaining == 0 and not auto_rekey:
        raise BudgetError(f"{keys} has no proof left; rekey makes the next epoch, with a new budget")
    shapes = {tensor.name: tensor.shape for tensor in content.inputs}
    read_samples(samples, shapes).select(index)
    from deepprove_dist.pricing.proof_price import price_proof

    price = price_proof(content, len(index))
    group = None
    if wanted is not None:
        from deepprove_dist.pricing.group_price import price_group

        scaling = wanted.config
        group = asdict(price_group(content, len(index), [scaling.cpus_per_worker] * scaling.workers))
    fields = {
        **asdict(price),
        **mode_fields(content),
        "remaining": remaining,
        "rekeys": remaining == 0,
        "group": group,
    }
    report(fields, as_json=as_json, view=_view)


def _view(fields: Mapping[str, Any]) -> Iterator[str | Table]:
    group = fields["group"]
    pairs = [
        ("samples", str(fields["samples"])),
        ("proof", f"about {size(fields['proof_bytes'])}; {mode_words(fields)}"),
        ("one process", f"about {milliseconds(fields['proving_ms'])} on two cores with AVX-512"),
        ("its memory", f"about {size(fields['memory_bytes'])}, beside the interpreter"),
    ]
    if fields["remaining"] is not None:
        pairs.append(("proofs left", f"{fields['remaining']:,}"))
    if fields["rekeys"]:
        pairs.append(("epoch", "the next one is made first"))
    if group is not None:
        pairs += [
            ("workers", f"at best {milliseconds(group['least_ms'])}, without their start and loading"),
            ("coordinator's memory", f"about {size(group['coordinator_bytes'])}"),
            ("between machines", f"about {size(group['wire_bytes'])}"),
        ]
    yield pairs_table("Price of the proof; nothing was run", pairs)
    if group is not None:
        yield records_table(
            "Workers",
            [
                {
                    "worker": worker["worker"],
                    "threads": worker["threads"],
                    "share": percent(worker["share"]),
                    "memory (MB)": round(worker["memory_bytes"] / (1 << 20)),
                }
                for worker in group["workers"]
            ],
        )
        if len(group["workers"]) > 1 and not group["worth"]:
            yield "This network is small: one process alone takes less time for a proof."
