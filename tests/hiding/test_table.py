"""Each piece of what hides is switched off in turn, and something notices; with all pieces nothing does."""

from __future__ import annotations

import pytest

from deepprove_dist.errors import SecurityError
from tests.book.pages import BOOK
from tests.hiding.table import DETECTORS, GROUPED, TABLE, Detector, Row, rendered
from tests.hiding.toy import Sizes, toy_key


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.piece}: {row.how}: {row.detector.__name__}")
def test_a_piece_that_is_switched_off_is_noticed(row: Row) -> None:
    with row.switch():
        assert row.detector(row.sizes)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: str(detector.__name__))
@pytest.mark.parametrize("sizes", [Sizes(), GROUPED], ids=["plain", "grouped"])
def test_nothing_is_noticed_with_all_pieces(detector: Detector, sizes: Sizes) -> None:
    assert not detector(sizes)


@pytest.mark.parametrize(
    "row", [row for row in TABLE if row.honest and row.sizes != Sizes()], ids=lambda r: r.piece
)
def test_nothing_is_noticed_for_the_sizes_of_a_row(row: Row) -> None:
    assert not row.detector(row.sizes)


@pytest.mark.parametrize("row", [row for row in TABLE if not row.honest], ids=lambda row: row.how)
def test_sizes_that_do_not_hide_are_no_key(row: Row) -> None:
    with pytest.raises(SecurityError):
        toy_key(row.sizes)


def test_the_book_has_the_table() -> None:
    assert rendered() in (BOOK / "hiding-tests.md").read_text()
