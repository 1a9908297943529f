"""Tables of figures are those of the files of results."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.tables import MARKED, PAGES, TABLES, duration, figures, shown, size, with_tables
from tests.book.pages import identifier


@pytest.mark.parametrize("page", PAGES, ids=identifier)
def test_tables_are_as_the_script_writes_them(page: Path) -> None:
    assert page.read_text() == with_tables(page.read_text())


def test_every_table_is_on_a_page() -> None:
    named = [match[1] for page in PAGES for match in MARKED.finditer(page.read_text())]
    assert set(named) == set(TABLES)


def test_a_changed_figure_is_seen() -> None:
    (page,) = (page for page in PAGES if page.name == "README.md")
    text = page.read_text()
    (table,) = [match.group() for match in MARKED.finditer(text)]
    assert with_tables(text.replace(table, table.replace("0", "1"))) == text


def test_figures_are_short() -> None:
    assert [duration(value) for value in (0.8, 12, 999, 1146, 11_200)] == [
        "0.8 ms",
        "12 ms",
        "999 ms",
        "1.1 s",
        "11 s",
    ]
    assert [size(value) for value in (42, 1800, 10_300)] == ["42 KB", "1.8 MB", "10.3 MB"]
    assert [shown(value) for value in ("1800", "999", "2.5", "2 x 30")] == ["1,800", "999", "2.5", "2 x 30"]
    record = {"proving (ms)": "2.5", "verifying (ms)": "1", "proof (KB)": ""}
    assert figures(record) == "2.5 ms, 1 ms"
    assert figures({**record, "proving (ms)": ""}) == "out of memory"
