"""The benchmark's pictures: times and sizes by model and prover, and where a proof's time goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.summary import ZKML, Summary
from deepprove_dist.pictures import grouped_bars, save, stacked_bars
from deepprove_dist.timing.table import CallGroup

QUANTITIES = {
    "proving": ("total_ms", "Inference and proving", "ms"),
    "verifying": ("verifying_ms", "Verifying", "ms"),
    "proof_size": ("proof_kb", "Proof size", "KB"),
}
"""Name of the file -> field of a summary, title, unit."""

STEPS = {
    "preparation_ms": "quantising",
    "setup_ms": "keys",
    "inference_ms": "inference",
    "proving_ms": "proving",
    "verifying_ms": "verifying",
}


def draw_summaries(summaries: Sequence[Summary], folder: Path) -> Iterator[Path]:
    """A picture for each quantity that was measured, with the files' names."""
    configs = list(dict.fromkeys(summary.config for summary in summaries))
    systems = list(dict.fromkeys(summary.system for summary in summaries))
    for name, (field, title, unit) in QUANTITIES.items():
        values = {(s.system, s.config): getattr(s, field) for s in summaries}
        series = {system: [values.get((system, config)) for config in configs] for system in systems}
        measured = {system: row for system, row in series.items() if any(row)}
        if measured:
            file = folder / f"{name}.png"
            save(grouped_bars(f"{title}, medians", unit, configs, measured), file)
            yield file


def draw_steps(summaries: Sequence[Summary], folder: Path) -> Path:
    """What a first proof takes from the ONNX file on, by step, for this prover."""
    ours = [summary for summary in summaries if summary.system == ZKML]
    parts = {words: [getattr(summary, field) for summary in ours] for field, words in STEPS.items()}
    file = folder / "steps.png"
    save(stacked_bars("From model to checked proof", "ms", [summary.config for summary in ours], parts), file)
    return file


def draw_phases(groups: Sequence[tuple[str, CallGroup]], folder: Path) -> Path:
    """Where a proof's time goes, by the prover's phases; `groups` come with their configuration."""
    configs = list(dict.fromkeys(config for config, _ in groups))
    parts: dict[str, list[float]] = {}
    for config, group in groups:
        heights = parts.setdefault(group.name, [0.0] * len(configs))
        heights[configs.index(config)] += group.median_ms
    file = folder / "phases.png"
    save(stacked_bars("Proving by phase, medians", "ms", configs, parts), file)
    return file
