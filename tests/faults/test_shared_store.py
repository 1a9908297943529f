"""Two services with one database and one store of artifacts: jobs of one are finished by the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import Measured
from tests.faults.jobs import require_proofs, submit, timed

pytest.importorskip("fastapi", reason="needs pip install 'deepprove-dist[service]'")
from benchmarks.serving import serving

pytestmark = [pytest.mark.slow, pytest.mark.faults]


def test_one_of_two_services_is_killed(
    folder: str, tmp_path: Path, expected: Callable[[str], bytes], measured: Measured
) -> None:
    token = tmp_path / "tokens"
    token.write_text("client aaaaaaaaaaaaaaaaaaaaaaaa\n")
    token.chmod(0o600)
    shared = ("--database", f"sqlite:///{tmp_path / 'jobs'}", "--artifacts", tmp_path / "artifacts")
    options = (folder, *shared, "--token-file", token)
    with serving(tmp_path / "one", *options) as one, serving(tmp_path / "two", *options) as two:
        require_proofs(one.client, submit(one.client, 1), expected)
        while len(two.client.status()["runners"]) < 2:
            time.sleep(0.1)
        jobs = submit(one.client, 40)
        with timed(measured, "one of two services is killed", "40 jobs, same bytes"):
            one.kill()
            require_proofs(two.client, jobs, expected)
