"""The front page is short, and shows what `make demo` prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.book.pages import README, ROOT, fences

MOST_LINES = 130
TIME = re.compile(r"[\d.,]+ m?s\b")
NUMBER = re.compile(r"-?[\d.,]*\d")
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


def test_it_is_short() -> None:
    assert len(README.read_text().splitlines()) <= MOST_LINES


def test_it_says_the_limits() -> None:
    text = " ".join(README.read_text().split())
    assert "not audited" in text.lower()
    assert "proofs hide nothing" in text


def test_the_demo_prints_what_it_shows(tmp_path: Path) -> None:
    """Numbers and times are those of one machine; all other words are compared."""
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    listed = subprocess.run(
        [
            "make",
            "--no-print-directory",
            "--dry-run",
            "--assume-old=build",
            "--assume-old=.venv/.usable",
            "-C",
            str(ROOT),
            "demo",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    recipe = listed.stdout.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    printed = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", recipe],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=True,
    )
    (output,) = (fence.code for fence in fences(README) if fence.language == "text")
    assert lines(printed.stdout)[-len(lines(output)) :] == lines(output)


def lines(text: str) -> list[str]:
    """Lines that have words, with numbers made equal."""
    for pattern, word in ((DIGEST, "DIGEST"), (TIME, "TIME"), (NUMBER, "0")):
        text = pattern.sub(word, text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]
