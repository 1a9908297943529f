"""A line for each model and prover: medians over all runs and samples, and how it compares with EZKL."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

from benchmarks.rows import NAMES, Row

ZKML, EZKL, FLOAT, DEEPPROVE = "deepprove-dist", "EZKL", "float", "DeepProve"


@dataclass(frozen=True)
class Summary:
    """Medians of the samples that did not fail; `accuracy` counts those that did as wrong.

    `total_ms` is from the input to the proof's bytes: inference and proving, or EZKL's witness and whole
    proving call. `ezkl_ratio` is EZKL's total over this one. `verified` counts proofs that were accepted,
    None where that is not known. `error` is the first one.
    """

    config: str
    system: str
    runs: int
    samples: int
    failed: int
    verified: int | None
    accuracy: float | None
    preparation_ms: float | None
    setup_ms: float | None
    inference_ms: float | None
    proving_ms: float | None
    total_ms: float | None
    verifying_ms: float | None
    proof_kb: float | None
    peak_memory_mb: float | None
    ezkl_ratio: float | None
    error: str


SUMMARY_NAMES = {**NAMES, "total_ms": "inference and proving (ms)", "ezkl_ratio": "EZKL / this"}


def summarise(rows: Mapping[tuple[str, str], Sequence[Row]]) -> list[Summary]:
    """Summaries of rows by (config, system), in their order."""
    summaries = [_summary(config, system, group) for (config, system), group in rows.items()]
    ezkl = {summary.config: summary.total_ms for summary in summaries if summary.system == EZKL}
    return [_with_ratio(summary, ezkl.get(summary.config)) for summary in summaries]


def _summary(config: str, system: str, rows: Sequence[Row]) -> Summary:
    good = [row for row in rows if not row.error]

    def median(column: str) -> float | None:
        values = [getattr(row, column) for row in good if getattr(row, column) is not None]
        return statistics.median(values) if values else None

    known = [row.correct for row in rows if row.correct is not None]
    checked = [row.verified for row in rows if row.verified is not None]
    memory = [row.peak_memory_mb for row in rows if row.peak_memory_mb is not None]
    return Summary(
        config,
        system,
        runs=len({row.run for row in rows}),
        samples=len(rows),
        failed=len(rows) - len(good),
        verified=sum(checked) if checked else None,
        accuracy=sum(known) / len(known) if known else None,
        preparation_ms=median("preparation_ms"),
        setup_ms=median("setup_ms"),
        inference_ms=median("inference_ms"),
        proving_ms=median("proving_ms"),
        total_ms=_median_total(good),
        verifying_ms=median("verifying_ms"),
        proof_kb=median("proof_kb"),
        # The most, not the middle: it is what the machine must have.
        peak_memory_mb=max(memory, default=None),
        ezkl_ratio=None,
        error=next((row.error for row in rows if row.error), ""),
    )


def _median_total(rows: Sequence[Row]) -> float | None:
    totals = [
        row.ezkl_full_proving_ms
        if row.ezkl_full_proving_ms is not None
        else (row.inference_ms or 0.0) + row.proving_ms
        for row in rows
        if row.proving_ms is not None
    ]
    return statistics.median(totals) if totals else None


def _with_ratio(summary: Summary, ezkl_ms: float | None) -> Summary:
    if ezkl_ms is None or not summary.total_ms or summary.system == EZKL:
        return summary
    return replace(summary, ezkl_ratio=ezkl_ms / summary.total_ms)


def write_summary(summaries: Sequence[Summary], path: Path) -> None:
    """The summaries as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([SUMMARY_NAMES.get(field.name, field.name) for field in fields(Summary)])
        for summary in summaries:
            writer.writerow([_text(value) for value in astuple(summary)])


def _text(value: object) -> object:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else value
