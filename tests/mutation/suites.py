"""Runs tests in a copy of the tree until the first that fails."""

from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.mutation.mutants import ROOT
from tests.mutation.rust import QUICK_BUILD, BrokenMutant

CARGO = "cargo:"
LIMIT = 900
"""Seconds; a mutant may loop for ever."""
ENDLESS = f"longer than {LIMIT} seconds"

QUICK_PHASES = (Phase.explicit, Phase.generate)

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["msgpack", "numpy", "pytest", "hypothesis.strategies", "_hypothesis_pytestplugin"]
)


def first_failure(copy: Path, tests: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """The first test that fails, or None. Raises BrokenMutant where none can be run."""
    paths = [test for test in tests if not test.startswith(CARGO)]
    if paths and (failed := _pytest(copy, paths, environment)):
        return failed
    for test in tests:
        if test.startswith(CARGO) and (failed := _cargo(copy, test.removeprefix(CARGO), environment)):
            return failed
    return None


def _pytest(copy: Path, paths: Sequence[str], environment: Mapping[str, str]) -> str | None:
    options = ["-x", "-q", "--no-header", "--tb=short", "-rfE", "-p", "no:cacheprovider"]
    arguments = [*options, *(f"tests/{path}" for path in paths)]
    with tempfile.NamedTemporaryFile() as written:
        process = FORKS.Process(target=_child, args=(str(copy), arguments, dict(environment), written.name))
        process.start()
        process.join(LIMIT)
        if process.is_alive():
            process.kill()
            process.join()
            return ENDLESS
        output = Path(written.name).read_text(errors="replace")
    if process.exitcode == 0:
        return None
    match = re.search(r"^(?:FAILED|ERROR) tests/(.*?)(?:\[.*)?(?: - .*)?$", output, re.MULTILINE)
    # 2: a module of tests makes a key when it is read, and cannot.
    if process.exitcode not in (1, 2) or match is None:
        raise BrokenMutant(output[-2000:])
    return match[1]


def _child(copy: str, arguments: list[str], environment: dict[str, str], output: str) -> None:
    """A process that has what no mutant changes in memory already, and takes all else from the copy."""
    file = os.open(output, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(file, stream.fileno())
    os.chdir(copy)
    os.environ.update(environment)
    sys.path[:] = [copy, *(path for path in sys.path if path not in ("", str(ROOT)))]
    for name in list(sys.modules):
        if name.partition(".")[0] in ("tests", "deepprove_dist"):
            del sys.modules[name]
    # One failure is enough, and the same one each time: it need not be made smaller.
    settings.register_profile("mutants", phases=QUICK_PHASES, derandomize=True, database=None)
    settings.load_profile("mutants")
    raise SystemExit(int(pytest.main(arguments)))


def _cargo(copy: Path, name: str, environment: Mapping[str, str]) -> str | None:
    command = ["cargo", "test", "--quiet", "--locked", "--manifest-path", "kernels/Cargo.toml"]
    command += ["--package", "deepprove-verifier", "--package", "deepprove-kernels", "--lib", "--", name]
    everything = {**os.environ, **QUICK_BUILD, **environment}
    try:
        run = subprocess.run(
            command, cwd=copy, env=everything, capture_output=True, text=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return ENDLESS
    if run.returncode == 0:
        return None
    output = run.stdout + run.stderr
    match = re.search(r"^test (\S+) \.\.\. FAILED|^---- (\S+) stdout", output, re.MULTILINE)
    if match is None:
        raise BrokenMutant(output[-2000:])
    return f"cargo test {match[1] or match[2]}"
