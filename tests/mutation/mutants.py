"""Mutants as data: one small change of a check each, in a file of the verifier or of the kernels.

A mutant that survives all tests is a check that no test needs. `run` tries them all, and docs/mutations.md
has the result. A test of the default suite keeps the texts in step with the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """A check, the text that makes it, which stands once in the file, and the text in its place.

    `tests` are run before all others, where they are not those of the file. `survives` says why no test can
    fail; it is empty for all that must be killed.
    """

    check: str
    text: str
    replacement: str
    tests: tuple[str, ...] = ()
    survives: str = ""


@dataclass(frozen=True)
class Source:
    """A file with the tests that run first on its mutants: paths below tests/, or `cargo:` and a filter."""

    file: str
    tests: tuple[str, ...]
    mutants: tuple[Mutant, ...]

    @property
    def path(self) -> Path:
        """The file in this tree."""
        return ROOT / self.file

    @property
    def is_rust(self) -> bool:
        """Whether it has to be compiled."""
        return self.file.endswith(".rs")

    def tests_of(self, mutant: Mutant) -> tuple[str, ...]:
        """What runs first."""
        return mutant.tests or self.tests


def source(file: str, tests: str | tuple[str, ...], *mutants: Mutant) -> Source:
    """A file with its mutants."""
    return Source(file, (tests,) if isinstance(tests, str) else tests, mutants)
