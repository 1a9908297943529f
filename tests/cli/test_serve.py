"""`serve`: its options, and what is missing is said."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from deepprove_dist.cli import main
from deepprove_dist.service import local_server
from deepprove_dist.service.local_server import Listening
from deepprove_dist.service.settings import ServiceSettings


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["serve", *map(str, arguments)])


def test_options_arrive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(local_server, "serve_locally", lambda *arguments: seen.extend(arguments))
    state = tmp_path / "state"
    options = ("--workers", 2, "--local", "--memory", "100MB", "--keep", 2, "--max-body", 3, "--auto-rekey")
    result = run("keys", "b=other", "--state", state, "--host", "0.0.0.0", "--port", 0, *options)
    assert result.exit_code == 0, result.output
    settings, listening, _ = seen
    assert isinstance(settings, ServiceSettings)
    assert settings.keys == ("keys", "b=other")
    assert settings.cluster is not None
    assert settings.cluster.local
    assert settings.cluster.config.workers == settings.limits.workers == 2
    assert (settings.limits.memory_bytes, settings.limits.body_bytes) == (100_000_000, 3 << 20)
    assert (settings.options.keep_seconds, settings.options.auto_rekey) == (7200.0, True)
    assert listening == Listening("0.0.0.0", 0)
    assert "tokens and inputs travel to 0.0.0.0 as they are" in result.stderr
    assert f"written to {state / 'tokens'}" in result.stderr
    assert "written to" not in run("keys", "--state", state).stderr


def test_a_certificate_has_its_key(tmp_path: Path) -> None:
    result = run("keys", "--state", tmp_path, "--tls-cert", __file__)
    assert result.exit_code == 2
    assert "go together" in result.stderr


def test_what_is_not_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    missing = ("fastapi", "sqlalchemy")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name in missing else find(name, *more)
    )
    result = run("keys", "--state", tmp_path / "state")
    assert result.exit_code == 2
    assert "needs fastapi and sqlalchemy: pip install 'deepprove-dist[service]'" in result.stderr
    assert not (tmp_path / "state").exists()


def test_two_services_do_not_share_a_folder(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with local_server._alone(tmp_path / "state" / "service.lock"):
        result = run("keys", "--state", tmp_path / "state")
    assert result.exit_code == 1
    assert "another service has the folder" in result.stderr
