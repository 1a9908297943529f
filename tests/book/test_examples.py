"""The scripts in `examples` run, and end as they say."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.book.pages import ROOT

LAST_LINES = {
    "first_proof": "The proof says 7; the label is 7.",
    "public_weights": "15 of 16 digits are right, and proven.",
    "cluster_in_process": "the same as alone: True",
}


def test_each_example_is_run() -> None:
    scripts = {path.stem for path in (ROOT / "examples").glob("*.py")} - {"__init__"}
    assert scripts == set(LAST_LINES)


@pytest.mark.parametrize("name", LAST_LINES)
def test_examples(name: str) -> None:
    script = ROOT / "examples" / f"{name}.py"
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1].endswith(LAST_LINES[name])
