"""Medians, failures and ratios."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks.plots import draw_phases, draw_steps, draw_summaries
from benchmarks.rows import Row
from benchmarks.summary import EZKL, ZKML, Summary, summarise, write_summary
from deepprove_dist.timing.table import CallGroup

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def summaries() -> list[Summary]:
    ours = [
        Row("d1_w10", run, 0, 5.0, 1.0, proving, 0.5, True, 12.0, verified=True, peak_memory_mb=100.0 + run)
        for run, proving in enumerate((2.0, 3.0, 40.0))
    ]
    failed = Row("d1_w10", 2, 1, correct=False, verified=False, error="out of range")
    ezkl = Row("d1_w10", 0, 0, 900.0, 10.0, 90.0, 9.0, True, 3.0, ezkl_full_proving_ms=100.0, verified=True)
    return summarise({("d1_w10", ZKML): [*ours, failed], ("d1_w10", EZKL): [ezkl]})


def test_failures_count_as_wrong_and_are_in_no_median(summaries: list[Summary]) -> None:
    ours = summaries[0]
    assert (ours.runs, ours.samples, ours.failed, ours.verified) == (3, 4, 1, 3)
    assert ours.accuracy == 0.75
    assert (ours.proving_ms, ours.total_ms, ours.peak_memory_mb) == (3.0, 4.0, 102.0)
    assert ours.error == "out of range"


def test_the_ratio_compares_everything_from_input_to_proof(summaries: list[Summary]) -> None:
    ours, ezkl = summaries
    assert ours.ezkl_ratio == 100.0 / 4.0
    assert ezkl.ezkl_ratio is None


def test_a_prover_that_only_failed_has_no_figures() -> None:
    row = Row("cnn", 0, 0, correct=False, verified=False, error="setup: out of memory")
    ours = Row("cnn", 0, 0, inference_ms=1.0, proving_ms=1.0)
    ours_summary, ezkl = summarise({("cnn", ZKML): [ours], ("cnn", EZKL): [row]})
    assert (ezkl.proving_ms, ezkl.accuracy, ezkl.failed, ezkl.error) == (None, 0.0, 1, "setup: out of memory")
    assert ours_summary.ezkl_ratio is None


def test_the_summary_is_a_csv_file(summaries: list[Summary], tmp_path: Path) -> None:
    write_summary(summaries, tmp_path / "benchmark_summary.csv")
    with (tmp_path / "benchmark_summary.csv").open(newline="") as file:
        ours, ezkl = csv.DictReader(file)
    assert (ours["config"], ours["system"], ours["proving (ms)"]) == ("d1_w10", ZKML, "3.000")
    assert (ours["EZKL / this"], ezkl["EZKL / this"]) == ("25.000", "")


def test_pictures_are_png_files(summaries: list[Summary], tmp_path: Path) -> None:
    group = CallGroup("proving", "opening", "", 3, 9.0, 3.0, 4.0, 0, 1.0)
    files = [
        *draw_summaries(summaries, tmp_path),
        draw_steps(summaries, tmp_path),
        draw_phases([("d1_w10", group)], tmp_path),
    ]
    names = {"proving.png", "verifying.png", "proof_size.png", "steps.png", "phases.png"}
    assert {file.name for file in files} == names
    assert all(file.read_bytes().startswith(PNG) for file in files)
