"""Copies of this tree in which files are changed; the tree itself stays as it is."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path

from tests.mutation.mutants import ROOT, Mutant, Source

BINARIES = "deepprove_dist/_kernels*.so"


def write_copy(target: Path, changes: Mapping[str, str], binaries: bool = True) -> None:
    """Writes all files that git knows or would add, those in `changes` with other content.

    Files that have their content already are left alone, so that nothing is compiled twice.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    if binaries:
        files += [str(path.relative_to(ROOT)) for path in ROOT.glob(BINARIES)]
    for name in files:
        changed = changes.get(name)
        content = (ROOT / name).read_bytes() if changed is None else changed.encode()
        path = target / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


@contextmanager
def mutated(copy: Path, source: Source, mutant: Mutant) -> Iterator[None]:
    """A Python file of a copy with one mutant in it, for the time of the block."""
    path = copy / source.file
    original = path.read_text()
    assert original.count(mutant.text) == 1, f"{source.file}: {mutant.check}"
    try:
        _write_module(path, original.replace(mutant.text, mutant.replacement))
        yield
    finally:
        _write_module(path, original)


def _write_module(path: Path, content: str) -> None:
    path.write_text(content)
    # The compiled form is told from another by size and whole seconds only.
    Path(cache_from_source(str(path))).unlink(missing_ok=True)
