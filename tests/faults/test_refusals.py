"""What a command says of a cluster that does not let it in, and how soon."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.faults.conftest import Keys
from tests.faults.prover import MODEL
from tests.faults.running import TOP, RayCluster, environment, ray_cluster

pytestmark = [pytest.mark.slow, pytest.mark.faults]

RIGHT, WRONG = "a" * 64, "b" * 64
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": RIGHT}
CASES = (
    ({**TOKEN, "RAY_AUTH_TOKEN": WRONG}, 1, "has another one than RAY_AUTH_TOKEN"),
    ({"RAY_AUTH_MODE": "disabled"}, 1, "asks for its token, and there is none here"),
    (TOKEN, 40, "no place for 40 workers"),
    ({**TOKEN, "RAY_ADDRESS": "ray://127.0.0.1:10001"}, 1, "Ray Client, which is not supported"),
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    """A cluster with a token."""
    pytest.importorskip("ray", reason="needs Ray: pip install 'deepprove-dist[ray]'")
    with ray_cluster([{"num_cpus": 4}], tmp_path_factory.mktemp("ray") / "log", TOKEN) as cluster:
        yield cluster


def refusal(keys: Keys, folder: Path, workers: int, settings: dict[str, str]) -> str:
    """What the command writes; it fails soon, and leaves no proof."""
    command = "from deepprove_dist.cli.program import run; run()"
    options = ["--input", MODEL / "input.json", "--workers", workers, "-o", folder / "proof"]
    begin = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", command, "prove", keys.folder, *map(str, options)],
        env={**environment(), **settings},
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    # It may wait for 7 s; its start takes some on a machine that is busy.
    assert time.monotonic() - begin < 12
    assert ended.returncode != 0
    assert not (folder / "proof").exists()
    # Neither Ray's lines nor a trace.
    assert len(ended.stderr.splitlines()) <= 2, ended.stderr
    return ended.stderr


@pytest.mark.parametrize(("settings", "workers", "expected"), CASES, ids=[text for *_, text in CASES])
def test_a_cluster_with_a_token(
    guarded: RayCluster, keys: Keys, tmp_path: Path, settings: dict[str, str], workers: int, expected: str
) -> None:
    text = refusal(keys, tmp_path, workers, {"RAY_ADDRESS": guarded.address, **settings})
    assert expected in text


def test_a_port_of_something_else(keys: Keys, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install 'deepprove-dist[ray]'")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        text = refusal(keys, tmp_path, 1, {"RAY_ADDRESS": f"127.0.0.1:{server.server_port}"})
    finally:
        server.shutdown()
    assert "what listens there does not answer as one" in text
