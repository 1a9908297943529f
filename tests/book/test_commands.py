"""Every command of README and book runs, or, where it needs more than a test has, is one that there is.

A block of code says by its first line what it needs:

- nothing: it runs here;
- `build`: it installs or makes something;
- `cluster`: it needs other hosts, or several minutes;
- `service`: it needs a service, or starts one that goes on;
- `excerpt`: it is a part of a file, which a test of its own compares.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from deepprove_dist.cli import main
from tests.book.pages import README, ROOT, Fence, chapters, fences, identifier

MODEL = ROOT / "assets" / "models" / "digits_mlp"
COMMANDS = ("bash", "python")
NOTES = {"bash": {"", "build", "cluster", "service"}, "python": {"", "cluster", "excerpt"}}
PROGRAMS = {
    "cd",
    "git",
    "make",
    "pip",
    "pytest",
    "python",
    "ray",
    "curl",
    "deepprove-dist",
    ".venv/bin/pre-commit",
} | {
    "docker",
    "export",
    "helm",
    "kubectl",
    "rm",
    "sed",
}

PAGES = [page for page in (README, *chapters()) if any(fence.language in COMMANDS for fence in fences(page))]
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
EXTRAS = set(re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=identifier)
def test_commands_run(page: Path, tmp_path: Path) -> None:
    lay_out(tmp_path)
    for fence in fences(page):
        if fence.language in COMMANDS and not fence.note:
            run_here(fence.code, fence.language, tmp_path)


@pytest.mark.slow
def test_commands_with_workers_run_on_a_local_cluster(tmp_path: Path) -> None:
    lay_out(tmp_path)
    commands = [
        line
        for page in PAGES
        for fence in fences(page)
        if fence.language == "bash" and fence.note == "cluster"
        for line in fence.code.splitlines()
        if line.startswith("deepprove-dist ")
    ]
    assert commands
    run_here("deepprove-dist setup model.onnx --calibration calibration.npz -o keys", "bash", tmp_path)
    for line in commands:
        run_here(line, "bash", tmp_path)


def run_here(code: str, language: str, folder: Path) -> None:
    """Runs a block of code in a folder, with the programs of this Python, and requires that it succeeds."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    program = ["bash", "-euo", "pipefail", "-c"] if language == "bash" else [sys.executable, "-c"]
    run = subprocess.run(
        [*program, code],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{code}\n{run.stdout}\n{run.stderr}"


def lay_out(folder: Path) -> None:
    """A folder as a reader has it: the checkout, and a model with samples."""
    for name in ("assets", "bench.py", "benchmarks", "examples"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("model.onnx", "calibration.npz", "test.npz", "input.json"):
        shutil.copy(MODEL / name, folder)


@pytest.mark.parametrize("page", PAGES, ids=identifier)
def test_commands_that_do_not_run_here_exist(page: Path) -> None:
    for fence in fences(page):
        if fence.language not in COMMANDS:
            continue
        assert fence.note in NOTES[fence.language]
        if fence.language == "python" and fence.note != "excerpt":
            check_imports(fence.code)
        elif fence.language == "bash" and fence.note:
            for words in command_lines(fence):
                check_command(words)


def command_lines(fence: Fence) -> Iterator[list[str]]:
    """The commands of a block, without comments and variables that are set for one command."""
    for line in fence.code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        if words:
            yield words


def check_command(words: list[str]) -> None:
    """Requires that what a command line names is there: target, extra, subcommand, option."""
    assert words[0] in PROGRAMS, words
    if words[0] == "make":
        assert {word for word in words[1:] if "=" not in word} <= TARGETS, words
    if words[0] == "pip":
        for extra in re.findall(r"\[(\w+)\]", " ".join(w for w in words if w.startswith((".", "deepprove")))):
            assert extra in EXTRAS, words
    if "pytest" in words[:3]:
        for path in (word for word in words if word.startswith("tests/")):
            assert (ROOT / path).exists(), words
    if words[0] in ("deepprove-dist", "kubectl") and "deepprove-dist" in words:
        check_options(words[words.index("deepprove-dist") + 1 :])
    for word in words[1:]:
        if words[0] == "ray" and word.startswith("deepprove-dist "):
            check_options(shlex.split(word)[1:])


def check_options(words: list[str]) -> None:
    """Requires that a command of the package's command line has these options."""
    command = main.get_command(click.Context(main), words[0])
    assert command is not None, words
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} <= known, words


def check_imports(code: str) -> None:
    """Requires that code is Python, and that what it imports exists."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            for alias in node.names:
                assert hasattr(module, alias.name), alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)


def test_a_command_that_there_is_not_is_seen() -> None:
    for line in (
        "make nothing",
        "pytest tests/nothing",
        "pip install '.[none]'",
        "deepprove-dist prove k --nope",
        "nonsense",
    ):
        with pytest.raises(AssertionError):
            check_command(shlex.split(line))
    with pytest.raises(AssertionError):
        check_imports("from deepprove_dist import nothing_of_that_name")
