"""Warnings of the package are lines on standard error, while a command runs and no longer."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from deepprove_dist.cli import main
from deepprove_dist.cli.warnings import LOGGER, shown_warnings


def test_a_warning_is_a_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("deepprove_dist.execution.group.ranks")
    with shown_warnings():
        logger.warning("worker %d is replaced: %s", 1, "\x1b[31mgone")
        logger.info("starting 4 workers")
        logger.debug("nobody asked")
    logger.warning("after the command")
    shown = capsys.readouterr()
    assert shown.out == ""
    line, progress = shown.err.splitlines()
    assert progress == "starting 4 workers"
    assert line.startswith("Warning: worker 1 is replaced: ")
    assert "\x1b" not in line


def test_every_command_shows_warnings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def warn() -> None:
        logging.getLogger("deepprove_dist.retry").warning("retries left: 1")

    monkeypatch.setattr(type(main), "get_command", lambda *_: warn)
    result = CliRunner().invoke(main, ["prove"])
    assert result.exit_code == 0
    assert result.stderr == "Warning: retries left: 1\n"
    assert logging.getLogger(LOGGER).handlers == []


def test_programs_get_a_line_of_json_with_the_job(tmp_path: Path) -> None:
    command = ["--log-format", "json", "--job-id", "job 7", "inspect", str(tmp_path)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    (line,) = map(json.loads, result.stderr.splitlines())
    assert (line["level"], line["job"], line["error"]) == ("error", "job 7", "InputError")
    assert "Error" not in result.output.replace('"InputError"', "")


def test_jobs_have_an_id_of_their_own() -> None:
    command = ["--log-format", "json", "inspect", "/"]
    jobs = {json.loads(CliRunner().invoke(main, command).stderr)["job"] for _ in range(2)}
    assert len(jobs) == 2
