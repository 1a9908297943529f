"""The tests that the tables of audits and faults name are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.faults import test_control, test_workers

TESTS = Path(__file__).parent
BOOK = TESTS.parent / "docs"


@pytest.mark.parametrize("page", ["audits.md", "faults.md"])
def test_every_test_of_the_table_exists(page: str) -> None:
    lines = (BOOK / page).read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ")]
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


def test_every_scenario_of_the_fault_suite_has_a_row() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \|", (BOOK / "faults.md").read_text(), re.MULTILINE)
    listed = {int(number) for numbers in rows for number in numbers.split(",")}
    assert listed == {*range(1, 31)}
    scenarios = (*test_workers.SCENARIOS, *test_control.SCENARIOS)
    assert {number for scenario in scenarios for number in scenario.rows} <= listed
