"""`prove --dry-run` prices the command that it is an option of, and does nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepprove_dist.cli import prove
from tests.cli.running import INPUT, make_keys, run


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_keys(tmp_path_factory.mktemp("dry run") / "keys", "--proofs", 1)


def test_nothing_is_loaded_written_or_counted(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(_: object) -> None:
        raise AssertionError("workers were started")

    monkeypatch.setattr(prove, "opened", opened)
    before = {path.name: path.stat().st_mtime_ns for path in keys.iterdir()}
    arguments = ("prove", keys, *INPUT, "-o", tmp_path / "proof", "--dry-run")
    shown = run(*arguments, "--workers", 2, "--cpus-per-worker", 4)
    assert shown.exit_code == 0
    assert "nothing was run" in shown.stdout
    assert "one process alone takes less time" in shown.stdout
    fields = json.loads(run(*arguments, "--workers", 2, "--cpus-per-worker", 4, "--json").stdout)
    assert [worker["threads"] for worker in fields["group"]["workers"]] == [4, 4]
    assert fields["remaining"] == 1
    alone = json.loads(run(*arguments, "--json").stdout)
    assert alone["group"] is None
    assert not (tmp_path / "proof").exists()
    assert before == {path.name: path.stat().st_mtime_ns for path in keys.iterdir()}


def test_what_prove_would_refuse_is_refused(keys: Path, tmp_path: Path) -> None:
    arguments = ("prove", keys, *INPUT, "-o", tmp_path / "proof")
    assert run(*arguments, "--dry-run", "--index", "5000").exit_code == 2
    assert run(*arguments).exit_code == 0
    spent = run(*arguments, "--dry-run")
    assert spent.exit_code == 1
    assert "no proof left" in spent.stderr
    assert json.loads(run(*arguments, "--dry-run", "--auto-rekey", "--json").stdout)["rekeys"]
