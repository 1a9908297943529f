"""What the run of all mutants is made of, on trees of one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation import report
from tests.mutation.mutants import Mutant, source
from tests.mutation.rust import BrokenMutant
from tests.mutation.suites import first_failure
from tests.mutation.tree import mutated, write_copy

MODULE = "deepprove_dist/errors.py"
TEST = """
import pytest

def test_passes():
    assert True

@pytest.mark.parametrize("name", ["a name - with a dash"])
def test_fails(name):
    assert False
"""


def test_a_mutant_stands_in_a_copy_for_the_time_of_its_tests(tmp_path: Path) -> None:
    write_copy(tmp_path, {MODULE: "x = 1\n"})
    assert (tmp_path / "deepprove_dist" / "verifier.py").is_file()
    mutant = Mutant("a number", "x = 1", "x = 2")
    with mutated(tmp_path, source(MODULE, "", mutant), mutant):
        assert (tmp_path / MODULE).read_text() == "x = 2\n"
    assert (tmp_path / MODULE).read_text() == "x = 1\n"
    written = (tmp_path / MODULE).stat().st_mtime_ns
    write_copy(tmp_path, {MODULE: "x = 1\n"})
    assert (tmp_path / MODULE).stat().st_mtime_ns == written


def test_the_first_test_that_fails_is_named(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text(TEST)
    assert first_failure(tmp_path, ["test_one.py"], {}) == "test_one.py::test_fails"
    assert first_failure(tmp_path, ["test_one.py::test_passes"], {}) is None


def test_a_mutant_with_which_no_test_can_be_run_is_broken(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text("import nothing_of_this_name\n")
    assert first_failure(tmp_path, ["test_one.py"], {}) == "test_one.py"
    (tmp_path / "tests" / "conftest.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(BrokenMutant, match="nothing_of_this_name"):
        first_failure(tmp_path, ["test_one.py"], {})


def test_the_table_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "PATH", tmp_path / "mutations.md")
    assert report.read() == {}
    alive, killed = Mutant("a or b", "x || y", "y", survives="because"), Mutant("c", "text" * 40, "")
    sources = [source("one.py", "", alive), source("two.rs", "", killed)]
    results = {("one.py", "a or b"): "", ("two.rs", "c"): "test_one.py::test_fails"}
    report.write(sources, results)
    assert report.read() == results
    assert "lives: because" in report.PATH.read_text()
