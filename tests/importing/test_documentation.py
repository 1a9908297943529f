"""The documentation lists the operators that there are rules for.

`WRITE_DOCUMENTATION=1 pytest tests/importing/test_documentation.py` writes the lists again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from deepprove_dist.importing.rules import RULES

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- operators -->\n", "<!-- end of operators -->\n"
WIDTH = 125


def names() -> str:
    """All names as lines of a paragraph."""
    lines = [""]
    for word in (f"{name}," for name in sorted(RULES)):
        if len(lines[-1]) + len(word) >= WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".lstrip()
    return "\n".join(lines).rstrip(",") + ".\n"


def table() -> str:
    """All that the rules say."""
    header = [
        "| operator | supported | attributes | types | since opset |",
        "| --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*header, *map(row, sorted(RULES))]) + "\n"


def row(operator: str) -> str:
    rule = RULES[operator]
    words = (rule.supported, ", ".join(sorted(rule.attributes)), ", ".join(rule.type_names), str(rule.since))
    return f"| {operator} | {' | '.join(word.replace('|', chr(92) + '|') for word in words)} |"


@pytest.mark.parametrize(("file", "written"), [("README.md", names), ("docs/operators.md", table)])
def test_the_operators_are_those_of_the_rules(file: str, written: Callable[[], str]) -> None:
    path = ROOT / file
    text = path.read_text()
    pattern = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)
    (listed,) = pattern.findall(text)
    if "WRITE_DOCUMENTATION" in os.environ:
        path.write_text(pattern.sub(lambda _: written(), text))
        return
    assert listed == written()
