"""The book lists the operators that there are rules for.

`WRITE_DOCUMENTATION=1 pytest tests/importing/test_documentation.py` writes the list again.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from deepprove_dist.importing.support import OperatorSupport, supported_operators

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"
BEGIN, END = "<!-- operators -->\n", "<!-- end of operators -->\n"


def table() -> str:
    """All that rules and expansions say."""
    header = [
        "| operator | supported | attributes | types | since opset |",
        "| --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*header, *map(row, supported_operators())]) + "\n"


def row(operator: OperatorSupport) -> str:
    words = (
        operator.supported,
        ", ".join(operator.attributes),
        ", ".join(operator.types),
        str(operator.since),
    )
    return f"| {operator.operator} | {' | '.join(word.replace('|', chr(92) + '|') for word in words)} |"


def test_the_operators_are_those_of_the_rules() -> None:
    text = PAGE.read_text()
    pattern = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)
    (listed,) = pattern.findall(text)
    if "WRITE_DOCUMENTATION" in os.environ:
        PAGE.write_text(pattern.sub(lambda _: table(), text))
        return
    assert listed == table()
