"""The pages of the book and the front page, as their tests read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "docs"
README = ROOT / "README.md"
SUMMARY = BOOK / "SUMMARY.md"

INCLUDE = re.compile(r"^\{\{#include (\S+)\}\}$", re.MULTILINE)
FENCE = re.compile(r"^```(\S*) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE_SPAN = re.compile(r"`[^`\n]*`")


@dataclass(frozen=True)
class Fence:
    """A block of code: its language, what else its first line says of it, and its lines."""

    language: str
    note: str
    code: str


def chapters() -> list[Path]:
    """All pages of the book, in its order, as its table of contents links them."""
    return [BOOK / target for target in LINK.findall(SUMMARY.read_text())]


def text_of(page: Path) -> str:
    """A page's text, with the files that it includes."""
    return INCLUDE.sub(lambda match: (page.parent / match[1]).read_text(), page.read_text())


def fences(page: Path) -> list[Fence]:
    """The blocks of code of a page."""
    return [Fence(*parts) for parts in FENCE.findall(text_of(page))]


def links(page: Path) -> Iterator[str]:
    """Targets of the links of a page, those in code left out."""
    yield from LINK.findall(CODE_SPAN.sub("", FENCE.sub("", text_of(page))))


def anchors(page: Path) -> set[str]:
    """What a link to a heading of a page may end in."""
    headings = HEADING.findall(FENCE.sub("", text_of(page)))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def identifier(page: Path) -> str:
    """A page's name in the list of tests."""
    return str(page.relative_to(ROOT))
