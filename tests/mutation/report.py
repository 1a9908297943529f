"""docs/mutations.md: the table of checks, mutants, and the tests that kill them, written and read again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tests.mutation.mutants import ROOT, Mutant, Source

PATH = ROOT / "docs" / "mutations.md"
SHOWN = 60
"""Characters of a text that are shown."""

Results = dict[tuple[str, str], str]
"""The test that kills a mutant, by file and check; empty for a mutant that lives."""

HEAD = """# Mutations

A check that no test needs may be lost without a sign. So each check of the verifier and of the kernels below
it is changed or taken out, one at a time, and tests run until the first that fails. This table is written by

    make mutants

which works in copies of the tree: Python files are changed one by one, all Rust mutants are compiled into one
build and chosen by an environment variable. Tests that should notice run first, then, where they do not, all
of `tests/attacks` and `tests/protocol`, some others, and the kernels' unit tests. Texts, tests and
explanations are data in `tests/mutation/sources`; a new mutant is a line there, and
`python -m tests.mutation.run --only TEXT` tries those whose file or check has the text.

"""


def read() -> Results:
    """What the table says."""
    results: Results = {}
    file = ""
    for line in PATH.read_text().splitlines() if PATH.is_file() else ():
        if heading := re.fullmatch(r"## `(.*)`", line):
            file = heading[1]
        elif row := re.fullmatch(r"\| (.*?) \| .* \| (?:`(.*)`|lives: .*) \|", line):
            results[file, row[1]] = row[2] or ""
    return results


def write(sources: Sequence[Source], results: Mapping[tuple[str, str], str]) -> None:
    """Writes the rows of all mutants that have a result."""
    done = [(s, m) for s in sources for m in s.mutants if (s.file, m.check) in results]
    living = sum(not results[s.file, m.check] for s, m in done)
    text = HEAD + f"{len(done)} mutants, {len(done) - living} killed, {living} alive with a reason.\n"
    for source in sources:
        rows = [_row(m, results[s.file, m.check]) for s, m in done if s is source]
        text += f"\n## `{source.file}`\n\n| check | mutant | killed by |\n| --- | --- | --- |\n" + "".join(
            rows
        )
    PATH.write_text(text)


def _row(mutant: Mutant, killer: str) -> str:
    outcome = f"`{killer}`" if killer else f"lives: {mutant.survives or 'no test needs it'}"
    change = f"{_code(mutant.text)} → {_code(mutant.replacement)}"
    return f"| {mutant.check} | {change} | {outcome} |\n"


def _code(text: str) -> str:
    line = " ".join(text.split())
    line = line if len(line) <= SHOWN else line[: SHOWN - 4] + " ..."
    return f"`{line}`".replace("|", "\\|") if line else "nothing"
