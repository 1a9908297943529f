"""All mutants of Rust files in one build, chosen by an environment variable.

An expression `e` with mutant number 7 becomes `(if mutant(7) { e' } else { e })`. A statement becomes the
same without parentheses. So a mutant's text is a whole expression, or statements with their semicolons.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.mutants import Mutant, Source
from tests.mutation.tree import write_copy

VARIABLE = "DEEPPROVE_MUTANT"
LIBRARY = "kernels/verifier/src/lib.rs"
SWITCH = f"""
/// Whether the environment chooses this mutant.
pub fn mutant(number: usize) -> bool {{
    static CHOSEN: std::sync::LazyLock<Option<usize>> =
        std::sync::LazyLock::new(|| std::env::var("{VARIABLE}").ok()?.parse().ok());
    *CHOSEN == Some(number)
}}
"""

QUICK_BUILD = {
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
    "CARGO_PROFILE_RELEASE_DEBUG": "0",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "2",
    "CARGO_PROFILE_TEST_OPT_LEVEL": "1",
}


class BrokenMutant(Exception):
    """It does not compile, or tests cannot be run at all."""


Numbers = dict[tuple[str, str], int]
"""The number of each mutant, by file and check."""


def build(copy: Path, sources: Sequence[Source]) -> Numbers:
    """Writes a copy with all mutants of these files and compiles it."""
    numbers: Numbers = {}
    changes = {}
    for source in sources:
        indices = {mutant: len(numbers) + index + 1 for index, mutant in enumerate(source.mutants)}
        numbers |= {(source.file, mutant.check): number for mutant, number in indices.items()}
        changes[source.file] = patched(source.path.read_text(), indices, _switch(source.file))
    library = changes.get(LIBRARY) or (Source(LIBRARY, (), ()).path).read_text()
    write_copy(copy, changes | {LIBRARY: library + SWITCH}, binaries=False)
    wheels = copy / "wheels"
    command = [sys.executable, "-m", "maturin", "build", "--release", "--locked", "--quiet", "--out"]
    run = subprocess.run(
        [*command, str(wheels)],
        cwd=copy,
        env=os.environ | QUICK_BUILD,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise BrokenMutant(run.stderr)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("deepprove_dist/_kernels"):
                archive.extract(name, copy)
    return numbers


def patched(content: str, numbers: dict[Mutant, int], switch: str) -> str:
    """A file's content with all its mutants; those of one text stand in one chain of conditions."""
    for text in dict.fromkeys(mutant.text for mutant in numbers):
        assert content.count(text) == 1, text
        chain = "".join(
            f"if {switch}({number}) {{ {mutant.replacement} }} else "
            for mutant, number in numbers.items()
            if mutant.text == text
        )
        chain += f"{{ {text} }}"
        content = content.replace(text, chain if text.endswith(";") else f"({chain})")
    return content


def _switch(file: str) -> str:
    return "crate::mutant" if file.startswith("kernels/verifier/") else "deepprove_verifier::mutant"
