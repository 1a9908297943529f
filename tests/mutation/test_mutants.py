"""The table of mutants is in step with the tree: no check moves away from its mutant unseen."""

from __future__ import annotations

import ast
from itertools import pairwise

import pytest

from tests.mutation import report
from tests.mutation.mutants import ROOT, Mutant, Source
from tests.mutation.rust import patched
from tests.mutation.sources import SOURCES
from tests.mutation.suites import CARGO

PAIRS = [(source, mutant) for source in SOURCES for mutant in source.mutants]
MIN_MUTANTS = 150


def test_every_text_stands_once_in_its_file() -> None:
    contents = {source.file: source.path.read_text() for source in SOURCES}
    lost = [(s.file, m.check, n) for s, m in PAIRS if (n := contents[s.file].count(m.text)) != 1]
    assert not lost, "give these mutants the text that their check has now"
    assert all(mutant.text != mutant.replacement for _, mutant in PAIRS)


@pytest.mark.parametrize("source", [s for s in SOURCES if not s.is_rust], ids=lambda source: source.file)
def test_every_mutant_is_a_program(source: Source) -> None:
    content = source.path.read_text()
    for mutant in source.mutants:
        ast.parse(content.replace(mutant.text, mutant.replacement), mutant.check)


def test_every_mutant_has_a_name_of_its_own_and_tests_that_exist() -> None:
    names = [(source.file, mutant.check) for source, mutant in PAIRS]
    assert len(set(names)) == len(names) >= MIN_MUTANTS
    assert len({source.file for source in SOURCES}) == len(SOURCES)
    tests = {test for source, mutant in PAIRS for test in source.tests_of(mutant)}
    paths = [ROOT / "tests" / test.partition("::")[0] for test in tests if not test.startswith(CARGO)]
    assert [path for path in paths if not path.exists()] == []


def test_the_document_is_of_these_mutants() -> None:
    """One that was not tried yet has no row: `python -m tests.mutation.run --missing`."""
    results, names = report.read(), [(source.file, mutant.check) for source, mutant in PAIRS]
    assert list(results) == [name for name in names if name in results]
    assert len(results) >= MIN_MUTANTS
    tried = [(s, m, results[s.file, m.check]) for s, m in PAIRS if (s.file, m.check) in results]
    unexplained = [(s.file, m.check) for s, m, killer in tried if bool(killer) == bool(m.survives)]
    assert not unexplained, "a mutant lives without an explanation, or has one and is killed"


def test_every_test_of_the_document_exists() -> None:
    """A test with a new name has it in the document too; a row whose test is gone is tried again."""
    killers = {killer for killer in report.read().values() if killer.partition("::")[0].endswith(".py")}
    defined = {file: _functions(file) for file in {killer.partition("::")[0] for killer in killers}}
    # Without a name, the module cannot be read.
    lost = [
        k for k in killers if (name := k.partition("::")[2]) and name not in defined[k.partition("::")[0]]
    ]
    assert not lost


def _functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("source", [s for s in SOURCES if s.is_rust], ids=lambda source: source.file)
def test_rust_mutants_do_not_overlap(source: Source) -> None:
    """Otherwise one would stand within another and not be the change that the table says."""
    content = source.path.read_text()
    starts = sorted({(content.index(m.text), len(m.text)) for m in source.mutants})
    assert all(start + length <= after for (start, length), (after, _) in pairwise(starts))


def test_expressions_and_statements_are_switched() -> None:
    mutants = {Mutant("a", "x < y", "false"): 1, Mutant("b", "x < y", "true"): 2, Mutant("c", "go();", ""): 3}
    assert patched("while x < y { go(); }", mutants, "m") == (
        "while (if m(1) { false } else if m(2) { true } else { x < y }) { if m(3) {  } else { go(); } }"
    )
