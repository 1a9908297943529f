"""The summary for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from benchmarks.summary import Summary
from deepprove_dist.cli.output import milliseconds, percent, records_table, size

if TYPE_CHECKING:
    from rich.table import Table

DASH = "-"


def summary_tables(summaries: Sequence[Summary], *, show_accuracy: bool) -> Iterator[str | Table]:
    """One table of all models and provers, and the errors that occurred."""
    yield records_table("Medians", [_record(summary, show_accuracy) for summary in summaries])
    for summary in summaries:
        if summary.error:
            yield f"{summary.system}, {summary.config}: {summary.failed} samples failed; {summary.error}"


def _record(summary: Summary, show_accuracy: bool) -> dict[str, str]:
    accuracy = {"accuracy": percent(summary.accuracy)} if show_accuracy else {}
    return {
        "model": summary.config,
        "system": summary.system,
        "verified": DASH if summary.verified is None else f"{summary.verified}/{summary.samples}",
        **accuracy,
        "preparation": _time(summary.preparation_ms),
        "keys": _time(summary.setup_ms),
        "inference": _time(summary.inference_ms),
        "proving": _time(summary.proving_ms),
        "verifying": _time(summary.verifying_ms),
        "proof": _size(summary.proof_kb, 1 << 10),
        "memory": _size(summary.peak_memory_mb, 1 << 20),
        "EZKL / this": DASH if summary.ezkl_ratio is None else f"{summary.ezkl_ratio:,.0f} x",
    }


def _time(value: float | None) -> str:
    return DASH if value is None else milliseconds(value)


def _size(value: float | None, unit: int) -> str:
    return DASH if value is None else size(value * unit)
