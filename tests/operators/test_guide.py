"""The guide to operators shows the code that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "adding-an-operator.md").read_text()
PACKAGE = ROOT / "deepprove_dist"
SHOWN = ("operators/multiply.py", "importing/rules/neg.py", "importing/rules/hyperbolic.py")
BLOCKS = re.findall(r"```python excerpt\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_line_of_code_in_the_guide_stands_in_one_module(block: str) -> None:
    lines = [line for line in block.splitlines() if line]
    assert any(set(lines) <= set((PACKAGE / file).read_text().splitlines()) for file in SHOWN)


def test_every_file_that_the_guide_names_is_there() -> None:
    names = re.findall(r"`([\w/]+\.(?:py|md))`", GUIDE)
    assert len(names) > 5
    missing = [
        name
        for name in names
        if not any((folder / name).exists() for folder in (ROOT, PACKAGE, PACKAGE / "operators"))
    ]
    assert not missing
