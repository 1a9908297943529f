"""A process takes no more threads than it has CPUs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepprove_dist import cpu


@pytest.mark.parametrize(
    ("quota", "threads"),
    [("max 100000", 8), ("250000 100000", 3), ("20000 100000", 1), ("1600000 100000", 8), ("", 8)],
)
def test_a_container_has_the_threads_of_its_quota(
    quota: str, threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(8))
    monkeypatch.setattr(cpu, "QUOTA", tmp_path / "cpu.max")
    assert cpu.default_threads() == 8
    (tmp_path / "cpu.max").write_text(quota)
    assert cpu.default_threads() == threads
