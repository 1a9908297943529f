"""The book lists the operators that there are rules for.

`WRITE_DOCUMENTATION=1 pytest tests/importing/test_documentation.py` writes the list again.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from deepprove_dist.importing.rules import RULES

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"
BEGIN, END = "<!-- operators -->\n", "<!-- end of operators -->\n"


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


def test_the_operators_are_those_of_the_rules() -> None:
    text = PAGE.read_text()
    pattern = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)
    (listed,) = pattern.findall(text)
    if "WRITE_DOCUMENTATION" in os.environ:
        PAGE.write_text(pattern.sub(lambda _: table(), text))
        return
    assert listed == table()
