"""Every link of the book leads somewhere, and every page is in the table of contents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.book.pages import BOOK, INCLUDE, README, ROOT, anchors, chapters, identifier, links

PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *chapters()]
REPOSITORY = "https://github.com/deepprove-dist/deepprove-dist"


@pytest.mark.parametrize("page", PAGES, ids=identifier)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in links(page):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", chapters(), ids=identifier)
def test_links_of_the_book_stay_inside(page: Path) -> None:
    """The book is built from its folder alone."""
    pages = set(chapters())
    for link in links(page):
        if "://" not in link and not link.startswith("#"):
            target = (page.parent / link.partition("#")[0]).resolve()
            assert target in pages or target.suffix == ".svg", link


def test_links_to_the_repository_name_files_of_the_checkout() -> None:
    for page in PAGES:
        for link in links(page):
            if link.startswith(f"{REPOSITORY}/blob/main/"):
                assert (ROOT / link.removeprefix(f"{REPOSITORY}/blob/main/")).exists(), link


def test_every_page_is_in_the_table_of_contents_once() -> None:
    listed = chapters()
    assert len(listed) == len(set(listed))
    assert set(listed) == {*BOOK.rglob("*.md")} - {BOOK / "SUMMARY.md"}


def test_included_files_exist() -> None:
    included = [match for page in chapters() for match in INCLUDE.findall(page.read_text())]
    assert included
    for page in chapters():
        for file in INCLUDE.findall(page.read_text()):
            assert (page.parent / file).is_file()
