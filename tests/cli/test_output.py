"""What commands print for people."""

from __future__ import annotations

from deepprove_dist.cli.output import MOST_NUMBERS, text


def test_few_numbers_are_shown_in_full() -> None:
    assert text([0.5, -1.0, 2.0]) == "[0.5, -1, 2]"
    assert text([[1, 2], [3, 4]]) == "[[1, 2], [3, 4]]"
    assert text(list(range(MOST_NUMBERS))).count(",") == MOST_NUMBERS - 1


def test_of_many_the_ends_of_each_list_are_shown_and_how_many_are_not() -> None:
    assert text(list(range(MOST_NUMBERS + 1))) == "[0, 1, 2, ... (995 more) ..., 998, 999, 1000]"
    rows = [[float(row), 0.0] for row in range(MOST_NUMBERS)]
    shown = "[[0, 0], [1, 0], [2, 0], ... (994 more) ..., [997, 0], [998, 0], [999, 0]]"
    assert text(rows) == shown
    short = [[0] * 7 for _ in range(MOST_NUMBERS)]
    assert text(short).startswith("[[0, 0, 0, 0, 0, 0, 0], [0")
    assert text({"y": rows}) == f"y: {text(rows)}"
