"""Checks names and sentences of the whole checkout: `python -m tools.check_names [--write] [--list TEXT]`.

`names.json` says which names and words are meant, and what each file still breaks, by file and rule. A file
may not break more than that. Where it breaks less, `--write` lowers the number; the sums only fall. A file
that is not listed is clean.
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tools.names import (
    Offence,
    Rule,
    Vocabulary,
    defined_types,
    markdown_offences,
    python_offences,
    rust_offences,
)

ROOT = Path(__file__).parents[1]
SETTINGS = Path(__file__).with_name("names.json")
PACKAGE = "deepprove_dist/"
UNCHECKED = (
    "tests/mutation/sources/",
    "docs/decisions/",
    "docs/mutations.md",
    "docs/audits.md",
    "CHANGELOG.md",
    "assets/models/",
)
"""Quoted code, and records of what was."""

Offences = dict[str, list[Offence]]
Counts = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Settings:
    """The vocabulary, and how much each file may break; `strict` says whether breaking more is a failure."""

    strict: bool
    vocabulary: Vocabulary
    ceilings: Counts

    @classmethod
    def read(cls, path: Path) -> Settings:
        """The settings in a file."""
        fields = json.loads(path.read_text())
        vocabulary = Vocabulary(
            frozenset(fields["banned variables"]), frozenset(fields["old words"]), fields["most words"]
        )
        return cls(fields["strict"], vocabulary, fields["ceilings"])

    def write(self, path: Path) -> None:
        """Puts the settings into a file."""
        fields = {
            "strict": self.strict,
            "banned variables": sorted(self.vocabulary.banned_variables),
            "old words": sorted(self.vocabulary.old_words),
            "most words": self.vocabulary.most_words,
            "ceilings": self.ceilings,
        }
        path.write_text(json.dumps(fields, indent=1) + "\n")


def main() -> int:
    """Says what is over a ceiling or below it; the exit status is 1 if that is a failure."""
    parser = argparse.ArgumentParser(description="Check names and sentences.")
    parser.add_argument("--write", action="store_true", help="lower the ceilings to what there is")
    parser.add_argument("--list", metavar="TEXT", help="list all that files break whose path has TEXT")
    options = parser.parse_args()
    settings = Settings.read(SETTINGS)
    offences = all_offences(settings.vocabulary)
    if options.list is not None:
        for file in sorted(name for name in offences if options.list in name):
            for offence in sorted(offences[file], key=lambda offence: offence.line):
                print(f"{file}:{offence.line}: {offence.rule.value}: {offence.text}")
        return 0
    counts = count(offences)
    if options.write:
        return rewrite(counts, settings, SETTINGS)
    problems = list(differences(counts, settings.ceilings))
    for problem in problems:
        print(problem)
    if problems:
        totals = ", ".join(f"{rule}: {number}" for rule, number in sorted(sums(counts).items()))
        print(f"{totals}. See them: python -m tools.check_names --list FILE; lower the ceilings: --write")
    return int(bool(problems) and settings.strict)


def rewrite(counts: Counts, settings: Settings, path: Path) -> int:
    """Writes new ceilings; refuses, with status 1, where more of anything is broken than before."""
    before, now = sums(settings.ceilings), sums(counts)
    risen = [rule for rule in now if now[rule] > before[rule]]
    for rule in risen:
        print(f"{rule}: {now[rule]} are more than {before[rule]}: ceilings only fall")
    if not risen:
        replace(settings, ceilings=counts).write(path)
    return int(bool(risen))


def differences(counts: Counts, ceilings: Counts) -> Iterator[str]:
    """What a file breaks more or less than its ceiling says."""
    for file in sorted({*counts, *ceilings}):
        for rule in sorted({*counts.get(file, {}), *ceilings.get(file, {})}):
            number, ceiling = (table.get(file, {}).get(rule, 0) for table in (counts, ceilings))
            if number > ceiling:
                yield f"{file}: {rule}: {number}, and {ceiling} are allowed"
            elif number < ceiling:
                yield f"{file}: {rule}: {number}, so the ceiling of {ceiling} can fall"


def sums(counts: Mapping[str, Mapping[str, int]]) -> Counter[str]:
    """How often each rule is broken in all files."""
    total: Counter[str] = Counter()
    for numbers in counts.values():
        total.update(numbers)
    return total


def count(offences: Offences) -> Counts:
    """How often each file breaks each rule."""
    return {
        file: dict(sorted(Counter(offence.rule.value for offence in broken).items()))
        for file, broken in sorted(offences.items())
    }


def all_offences(vocabulary: Vocabulary) -> Offences:
    """What each file that git knows breaks; files that break nothing are not there."""
    offences: Offences = defaultdict(list)
    types: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for file in tracked_files():
        source = (ROOT / file).read_text()
        if file.endswith(".py"):
            offences[file] += python_offences(source, vocabulary)
            if file.startswith(PACKAGE):
                for name, line in defined_types(ast.parse(source)):
                    types[name].append((file, line))
        elif file.endswith(".rs"):
            offences[file] += rust_offences(source, vocabulary)
        elif file.endswith(".md"):
            offences[file] += markdown_offences(source, vocabulary)
    for name, [(first, _), *others] in types.items():
        for file, line in others:
            offences[file].append(Offence(Rule.TYPE, line, f"{name}, also in {first}"))
    return {file: broken for file, broken in offences.items() if broken}


def tracked_files() -> Iterator[str]:
    """Python, Rust and Markdown files, by their paths in the checkout."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for file in sorted(listed.stdout.splitlines()):
        if (
            file.endswith((".py", ".rs", ".md"))
            and not file.startswith(UNCHECKED)
            and (ROOT / file).is_file()
        ):
            yield file


if __name__ == "__main__":
    sys.exit(main())
