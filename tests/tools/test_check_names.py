"""The ceilings of the check of names: kept for every file, and only lowered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import check_names
from tools.check_names import Settings, count, differences, rewrite
from tools.names import Offence, Rule, Vocabulary

VOCABULARY = Vocabulary(frozenset({"own"}), frozenset({"crew"}), 20)


def test_what_is_over_or_under_a_ceiling_is_named() -> None:
    assert not list(differences({"a.py": {"old word": 2}}, {"a.py": {"old word": 2}}))
    (over,) = differences({"a.py": {"old word": 3}}, {"a.py": {"old word": 2}})
    assert over == "a.py: old word: 3, and 2 are allowed"
    (new,) = differences({"b.py": {"old word": 1}}, {})
    assert new == "b.py: old word: 1, and 0 are allowed"
    (under,) = differences({}, {"a.py": {"old word": 2}})
    assert under == "a.py: old word: 0, so the ceiling of 2 can fall"


def test_ceilings_are_not_raised(tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    settings = Settings(True, VOCABULARY, {"a.py": {"old word": 2}})
    settings.write(path)
    assert Settings.read(path) == settings
    # A file may move: the sum counts.
    for counts, status, kept in [
        ({"a.py": {"old word": 3}}, 1, 2),
        ({"b.py": {"old word": 2}}, 0, 2),
        ({"b.py": {"old word": 1}}, 0, 1),
    ]:
        assert rewrite(counts, Settings.read(path), path) == status
        written = json.loads(path.read_text())["ceilings"]
        assert sum(numbers["old word"] for numbers in written.values()) == kept


def test_offences_are_counted_by_file_and_rule() -> None:
    offences = [
        Offence(Rule.WORD, 1, "crew"),
        Offence(Rule.WORD, 2, "crew"),
        Offence(Rule.VARIABLE, 2, "own"),
    ]
    assert count({"a.py": offences}) == {"a.py": {"banned variable": 1, "old word": 2}}


def test_types_that_two_files_define(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = ("deepprove_dist/a.py", "deepprove_dist/b.py", "tests/c.py")
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("class Shape: ...\n")
    monkeypatch.setattr(check_names, "ROOT", tmp_path)
    monkeypatch.setattr(check_names, "tracked_files", lambda: iter(files))
    offence = Offence(Rule.TYPE, 1, "Shape, also in deepprove_dist/a.py")
    assert check_names.all_offences(VOCABULARY) == {"deepprove_dist/b.py": [offence]}
