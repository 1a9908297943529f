"""A whole benchmark: every model, every run, every prover that was asked for, and the files that remain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path

from benchmarks.ezkl import ezkl_rows, require_ezkl
from benchmarks.floats import float_rows
from benchmarks.machine import describe_machine
from benchmarks.models import Model, find_model
from benchmarks.plots import draw_phases, draw_steps, draw_summaries
from benchmarks.rows import EZKL as EZKL_COLUMNS
from benchmarks.rows import PYTORCH, Row, read_foreign, writing
from benchmarks.rows import ZKML as ZKML_COLUMNS
from benchmarks.scaling import ScalingPoint, draw_scaling, write_scaling
from benchmarks.scaling_run import measure_scaling
from benchmarks.settings import Settings
from benchmarks.summary import (
    DEEPPROVE,
    EZKL,
    FLOAT,
    ZKML,
    Summary,
    summarise,
    write_summary,
)
from benchmarks.zkml import Task, zkml_rows
from deepprove_dist.pictures import require_matplotlib
from deepprove_dist.timing.chrome import read_chrome_trace
from deepprove_dist.timing.table import group_calls

PROVING_PHASE = "proving"

Say = Callable[[str], None]
Results = dict[tuple[str, str], list[Row]]
"""Rows by (configuration, system)."""


def run_benchmark(settings: Settings, say: Say) -> list[Summary]:
    """Measures, writes all files to `settings.output` and returns the summaries; `say` tells of progress.

    A sample that fails does not end it. Raises MissingPackageError before anything is measured, and what
    reading models and samples raises.
    """
    require_matplotlib()
    if settings.ezkl is not None:
        require_ezkl()
    settings.output.mkdir(parents=True, exist_ok=True)
    (settings.output / "machine.json").write_text(json.dumps(describe_machine(), indent=2) + "\n")
    models = []
    for config in settings.configs:
        folder = settings.output / "models"
        model, origin = find_model(
            config, create=settings.create_models, samples=settings.samples, folder=folder
        )
        say(f"{model.name}: {origin}; {len(model.scored)} samples, {settings.repeats} runs")
        models.append(model)
    results: Results = {}
    for model in models:
        if settings.scaling:
            _scale(model, settings)
        _measure(model, settings, say, results)
    for path in settings.deepprove:
        for row in read_foreign(path, path.stem.removeprefix("zkml_")):
            results.setdefault((row.config, DEEPPROVE), []).append(row)
    summaries = summarise(results)
    write_summary(summaries, settings.output / "benchmark_summary.csv")
    _draw(models, summaries, settings)
    return summaries


def _measure(model: Model, settings: Settings, say: Say, results: Results) -> None:
    """All rows of a model, each on disk when it is measured."""
    output, runs = settings.output, range(settings.repeats)
    timings = _timings(settings, model)
    timings.unlink(missing_ok=True)
    tasks = (
        Task.of(
            model,
            run,
            prove=settings.prove,
            workers=settings.workers,
            batch=settings.batch,
            timings=timings.absolute(),
        )
        for run in runs
    )
    sources: list[tuple[str, str, tuple[str, ...], Iterable[Row]]] = [
        (ZKML, "zkml", ZKML_COLUMNS, chain.from_iterable(map(zkml_rows, tasks))),
        # The same weights give the same answers in every run.
        (FLOAT, "pytorch", PYTORCH, float_rows(model, 0)),
    ]
    if settings.ezkl is not None:
        ezkl, folder = settings.ezkl, output / "ezkl" / model.name
        measured = chain.from_iterable(ezkl_rows(model, run, ezkl, folder) for run in runs)
        sources.append((EZKL, "ezkl", EZKL_COLUMNS, measured))
    for system, prefix, columns, rows in sources:
        kept = results.setdefault((model.name, system), [])
        with writing(output / f"{prefix}_{model.name}.csv", columns) as write:
            for row in rows:
                write(row)
                kept.append(row)
                if settings.verbose or row.error:
                    say(f"  {_line(system, row)}")


def _scale(model: Model, settings: Settings) -> None:
    points: list[ScalingPoint] = list(measure_scaling(model, settings.scaling))
    write_scaling(points, settings.output / f"scaling_{model.name}.csv")
    draw_scaling(points, settings.output / f"scaling_{model.name}.png")


def _draw(models: Sequence[Model], summaries: Sequence[Summary], settings: Settings) -> None:
    for _ in draw_summaries(summaries, settings.output):
        pass
    draw_steps(summaries, settings.output)
    groups = [
        (model.name, group)
        for model in models
        if _timings(settings, model).is_file()
        for group in group_calls(read_chrome_trace(_timings(settings, model)))
        if group.phase == PROVING_PHASE
    ]
    if groups:
        draw_phases(groups, settings.output)


def _timings(settings: Settings, model: Model) -> Path:
    return settings.output / f"timings_{model.name}.json"


def _line(system: str, row: Row) -> str:
    """A row for people who watch."""
    name = f"{system}, run {row.run}, sample {row.sample}"
    if row.error:
        return f"{name}: FAILED, {row.error}"
    figures = {
        "inference": (row.inference_ms, "ms"),
        "proving": (row.proving_ms, "ms"),
        "verifying": (row.verifying_ms, "ms"),
        "proof": (row.proof_kb, "KB"),
    }
    shown = [f"{name} {value:.2f} {unit}" for name, (value, unit) in figures.items() if value is not None]
    answer = {True: "right", False: "wrong", None: "no label"}[row.correct]
    return f"{name}: {', '.join([*shown, answer])}"
