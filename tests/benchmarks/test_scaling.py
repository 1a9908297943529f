"""Measured and computed times of several workers."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks.scaling import (
    Network,
    ScalingPoint,
    draw_scaling,
    scaling_records,
    write_scaling,
)

TWO = {"commit": [20.0, 16.0], "opening": [9.0, 10.0]}
ONE = {"commit": [36.0], "opening": [10.0]}
POINTS = [
    ScalingPoint("cnn", 2, 60.0, 4.0, TWO, 31.0, 2000, 3000, 500, 8),
    ScalingPoint("cnn", 1, 50.0, 4.0, ONE, 46.0, 1000, 1500, 0, 8),
]
NETWORK = Network(round_trip_ms=0.5, bytes_per_second=1e6)


def test_a_round_takes_as_long_as_its_slowest_worker() -> None:
    one, two = scaling_records(POINTS, NETWORK)
    assert (one["workers"], two["workers"]) == (1, 2)
    assert one["computed total (ms)"] == pytest.approx(4 + 36 + 10 + 8 * 0.5 + 2.5)
    assert two["computed total (ms)"] == pytest.approx(4 + 31 + 8 * 0.5 + 5.5)
    assert two["busy commit (ms)"] == 20.0
    assert two["work to that of fewest"] == pytest.approx(59 / 50)
    assert two["computed efficiency"] == pytest.approx(56.5 / (2 * 44.5))


def test_what_was_measured_stands_apart() -> None:
    one, two = scaling_records(POINTS, NETWORK)
    assert (one["measured efficiency"], one["computed efficiency"]) == (1.0, 1.0)
    assert two["measured total (ms)"] == 60.0
    assert two["measured efficiency"] == pytest.approx(50 / 120)


def test_csv_and_picture(tmp_path: Path) -> None:
    write_scaling(POINTS, tmp_path / "scaling.csv", NETWORK)
    with (tmp_path / "scaling.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["workers"] for row in rows] == ["1", "2"]
    assert {"bytes out", "bytes in", "rounds", "busy opening (ms)"} <= set(rows[0])
    draw_scaling(POINTS, tmp_path / "scaling.png")
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
