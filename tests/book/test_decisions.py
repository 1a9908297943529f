"""The index of decisions lists each of them, with its title."""

from __future__ import annotations

import re

from tests.book.pages import BOOK

FOLDER = BOOK / "decisions"
INDEX = FOLDER / "README.md"
ROW = re.compile(r"^\| \[(\d{4})\]\((\S+\.md)\) \| ([^|]+) \|$", re.MULTILINE)
TITLE = re.compile(r"# \d+[.:] (.+)")


def test_the_index_lists_every_decision_with_its_title() -> None:
    listed = [(number, file, title) for number, file, title in ROW.findall(INDEX.read_text())]
    files = sorted(path for path in FOLDER.glob("*.md") if path != INDEX)
    titles = [(path.name[:4], path.name, title_of(path.read_text())) for path in files]
    assert listed == titles


def title_of(text: str) -> str:
    match = TITLE.match(text)
    assert match is not None, text[:80]
    return match[1]
