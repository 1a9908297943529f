"""Tries mutants and writes what kills them to docs/mutations.md.

Ends with 1 where a mutant without an explanation lives, or one with an explanation is killed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

from tests.mutation import report
from tests.mutation.mutants import Mutant, Source
from tests.mutation.rust import VARIABLE, BrokenMutant, Numbers, build
from tests.mutation.sources import SOURCES
from tests.mutation.suites import CARGO, first_failure
from tests.mutation.tree import mutated, write_copy

WIDE = ("attacks", "protocol", "test_golden.py", "test_prover.py", "test_canonical.py", "test_kernels.py")
"""What runs on a mutant that its first tests let live; on one of the kernels also all unit tests."""


class Runner:
    """The copies of the tree in a folder, and the tests that run there."""

    def __init__(self, work: Path, sources: Sequence[Source], jobs: int) -> None:
        self._kernels = work / "kernels"
        # All of them, so that a folder that is kept is compiled once, whatever is selected.
        rust = [source for source in SOURCES if source.is_rust]
        self._numbers: Numbers = build(self._kernels, rust) if any(s.is_rust for s in sources) else {}
        self._copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(jobs):
            write_copy(work / f"copy{number}", {})
            self._copies.put(work / f"copy{number}")

    def require_passing(self, sources: Sequence[Source]) -> None:
        """The tests that run first pass without any mutant."""
        for is_rust in {source.is_rust for source in sources}:
            chosen = [source for source in sources if source.is_rust is is_rust]
            tests = dict.fromkeys(t for s in chosen for m in s.mutants for t in s.tests_of(m))
            copy = self._kernels if is_rust else self._copies.get()
            failed = first_failure(copy, list(tests), {})
            if failed:
                raise SystemExit(f"without a mutant {failed} fails")
            if not is_rust:
                self._copies.put(copy)

    def killer(self, source: Source, mutant: Mutant) -> str:
        """The test that fails on a mutant; empty if none does."""
        try:
            return self._killer(source, mutant)
        except BrokenMutant as error:
            raise SystemExit(f"{source.file}: {mutant.check}: {error}") from error

    def _killer(self, source: Source, mutant: Mutant) -> str:
        first = source.tests_of(mutant)
        if source.is_rust:
            chosen = {VARIABLE: str(self._numbers[source.file, mutant.check])}
            suites = (first, (*WIDE, CARGO))
            return next(filter(None, (first_failure(self._kernels, t, chosen) for t in suites)), "")
        copy = self._copies.get()
        try:
            with mutated(copy, source, mutant):
                return next(filter(None, (first_failure(copy, tests, {}) for tests in (first, WIDE))), "")
        finally:
            self._copies.put(copy)


def selected(text: str, known: Container[tuple[str, str]]) -> list[Source]:
    """The sources with those mutants whose file or check has the text, and that are not known."""

    def is_selected(source: Source, mutant: Mutant) -> bool:
        return text in f"{source.file}: {mutant.check}" and (source.file, mutant.check) not in known

    chosen = (replace(s, mutants=tuple(m for m in s.mutants if is_selected(s, m))) for s in SOURCES)
    return [source for source in chosen if source.mutants]


def outcomes(work: Path, sources: Sequence[Source], jobs: int) -> Iterator[tuple[Source, Mutant, str]]:
    """Each mutant with the test that kills it."""
    runner = Runner(work, sources, jobs)
    runner.require_passing(sources)
    pairs = [(source, mutant) for source in sources for mutant in source.mutants]
    with ThreadPoolExecutor(jobs) as pool:
        killers = pool.map(lambda pair: runner.killer(*pair), pairs)
        for (source, mutant), killer in zip(pairs, killers, strict=True):
            yield source, mutant, killer


def main() -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose file or check has this text")
    parser.add_argument("--missing", action="store_true", help="mutants that the table does not have yet")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    parser.add_argument("--work", type=Path, help="a folder for the copies that is kept and used again")
    options = parser.parse_args()
    wrong, known = 0, report.read() if options.missing else {}
    sources = selected(options.only, known)
    with tempfile.TemporaryDirectory() as temporary:
        for source, mutant, killer in outcomes(options.work or Path(temporary), sources, options.jobs):
            report.write(SOURCES, report.read() | {(source.file, mutant.check): killer})
            surprising = bool(killer) == bool(mutant.survives)
            wrong += surprising
            mark = "!" if surprising else " "
            print(mark, f"{source.file}: {mutant.check}: {killer or 'lives'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
