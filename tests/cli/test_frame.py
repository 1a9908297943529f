"""What all commands have in common: finding them, errors, exit statuses, JSON and numbers for people."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from deepprove_dist.cli import main
from deepprove_dist.cli.app import SUMMARIES, CommandGroup
from deepprove_dist.cli.failures import with_flags
from deepprove_dist.cli.output import by_name, milliseconds, percent, report, size, text
from deepprove_dist.errors import DeepProveError, InputError


def test_the_help_lists_every_command_and_imports_none() -> None:
    script = (
        "import sys; from deepprove_dist.cli import main; main(['--help'], standalone_mode=False);"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = run.stderr.split()
    for name, summary in SUMMARIES.items():
        assert f"  {name} " in run.stdout
        assert summary in run.stdout
        assert f"deepprove_dist.cli.{name}" not in imported
    assert not {"numpy", "onnx", "ray", "rich"} & set(imported)


def test_an_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["proof"])
    assert result.exit_code == 2
    assert "No such command 'proof'" in result.stderr


def test_output_that_nobody_reads_further_is_no_error() -> None:
    script = f"{sys.executable} -c 'from deepprove_dist.cli import main; main()' operators | true"
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert run.stderr == ""


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (DeepProveError("it went wrong"), 1, "Error: it went wrong\n"),
        (InputError("row 3 is too long"), 2, "Error: row 3 is too long\n"),
        (
            FileNotFoundError(2, "No such file or directory", "x.npz"),
            2,
            "Error: x.npz: No such file or directory\n",
        ),
    ],
)
def test_an_error_is_one_line_and_a_status(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, line: str
) -> None:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(CommandGroup, "get_command", lambda *_: failing)
    result = CliRunner().invoke(main, ["prove"])
    assert (result.exit_code, result.stderr, result.stdout) == (status, line, "")
    with pytest.raises(type(error)):
        CliRunner().invoke(main, ["--debug", "prove"], catch_exceptions=False)


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("pass accept_error=True.", "pass --accept-error."),
        ("pass clamp=True to move it", "pass --clamp to move it"),
        ("up to activation_bits=12", "up to --activation-bits 12"),
        ("by calibration_method='max'.", "by --calibration-method max."),
        ("its model (model=...)", "its model (--model FILE)"),
        ("the clamp is True", "the clamp is True"),
    ],
)
def test_arguments_of_python_become_options(sentence: str, shown: str) -> None:
    assert with_flags(sentence) == shown


@pytest.mark.parametrize("command", SUMMARIES)
def test_the_help_of_a_command_has_groups_examples_and_no_arguments_of_python(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"], terminal_width=100)
    assert result.exit_code == 0
    assert f"deepprove-dist {command}" in result.output
    assert result.output == with_flags(result.output)
    assert ("Cluster:" in result.output) == (command in ("prove", "generate", "serve"))


def test_options_of_a_cluster_stand_after_those_of_every_proof() -> None:
    _, _, shown = CliRunner().invoke(main, ["prove", "--help"]).output.partition("Statement:")
    assert shown.index("--context") < shown.index("Cluster:")
    assert shown.index("Cluster:") < shown.index("--workers") < shown.index("Other options:")


def test_the_help_says_what_exit_statuses_mean() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    assert [line.split()[0] for line in shown.partition("Exit status:")[2].splitlines()[1:4]] == list("012")


def test_json_is_one_object_with_arrays_bytes_and_paths(capsys: pytest.CaptureFixture[str]) -> None:
    fields = {
        "y": np.arange(3, dtype=np.int64),
        "n": np.int32(7),
        "digest": b"\x0f",
        "file": Path("a/b"),
        "f": 0.5,
    }
    report(fields, as_json=True, view=lambda _: ["for people"])
    assert json.loads(capsys.readouterr().out) == {
        "y": [0, 1, 2],
        "n": 7,
        "digest": "0f",
        "file": "a/b",
        "f": 0.5,
    }
    report(fields, as_json=False, view=lambda _: ["for people"])
    assert capsys.readouterr().out == "for people\n"


def test_one_output_stands_alone_and_several_by_name() -> None:
    assert by_name({"y": 1}) == 1
    assert by_name({"y": 1, "z": 2}) == {"y": 1, "z": 2}


def test_numbers_for_people() -> None:
    assert milliseconds(8.125) == "8.12 ms"
    assert milliseconds(1234.5) == "1,234 ms"
    assert [size(n) for n in (512, 60 * 1024, 5 << 20, 3 << 30)] == [
        "512 bytes",
        "60.0 KB",
        "5.0 MB",
        "3.00 GB",
    ]
    assert [percent(share) for share in (0.97222, None)] == ["97.22 %", "-"]
    assert [text(value) for value in (None, 0.12345678, b"\x0f")] == ["-", "0.123457", "0f"]
    assert text({"y": np.array([[1.5, 2.0]]), "z": (1, 2)}) == "y: [[1.5, 2]], z: [1, 2]"
