"""The tests that docs/audits.md names are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
TABLE = TESTS.parent / "docs" / "audits.md"


def test_every_test_of_the_table_exists() -> None:
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    missing, count = [], 0
    for row in rows:
        for file, name, more in re.findall(r"`([\w/]+\.py)::(\w+)`( \(\*more\*\))?", row):
            functions = {
                node.name: ast.unparse(node)
                for node in ast.parse((TESTS / file).read_text()).body
                if isinstance(node, ast.FunctionDef)
            }
            slow = any("@pytest.mark.slow" in text for text in functions.values())
            if name not in functions or (more and not slow):
                missing.append(f"{file}::{name}")
            count += 1
    assert not missing
    # Two lines of each table are its head.
    assert count >= len(rows) - 2
