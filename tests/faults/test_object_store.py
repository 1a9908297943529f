"""Inputs and proofs in an object store that speaks S3, which is away for a while."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest

import deepprove_dist as dp
from tests.faults.conftest import ROWS, Measured
from tests.faults.jobs import BODY, WORKERS, timed

pytest.importorskip("fastapi", reason="needs pip install 'deepprove-dist[service]'")
pytest.importorskip("s3fs", reason="needs pip install s3fs 'moto[server]'")
pytest.importorskip("moto", reason="needs pip install s3fs 'moto[server]'")
import boto3
from moto.server import ThreadedMotoServer

from benchmarks.serving import serving
from deepprove_dist.service.client import Client, ServiceError

pytestmark = [pytest.mark.slow, pytest.mark.faults]

BUCKET = "proofs"
ACCESS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def start(port: int) -> ThreadedMotoServer:
    """An object store; what was in it before is still there."""
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    return server


def test_proofs_in_an_object_store(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: Measured
) -> None:
    port = free_port()
    for name, value in {**ACCESS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}.items():
        monkeypatch.setenv(name, value)
    body = {"input_data": BODY["input_data"][:1] * ROWS}
    expected = dp.ProvingKey.load(many).prove(np.array(body["input_data"])).content
    store = start(port)
    bucket = boto3.resource("s3").create_bucket(Bucket=BUCKET)
    try:
        with serving(tmp_path / "state", many, *WORKERS, "--artifacts", f"s3://{BUCKET}/jobs") as server:
            client = server.client
            with timed(measured, "proofs in an object store", "same bytes"):
                job = client.submit("many", body, index=f"0:{ROWS}")["id"]
                client.wait(job, 60)
                assert client.proof(job) == expected
            assert [item.key for item in bucket.objects.all() if item.key.endswith("proof")]
            store.stop()
            impatient = Client(client.url, client.token, retry_seconds=0.0)
            with pytest.raises(ServiceError) as refused:
                impatient.submit("many", body, index=f"0:{ROWS}")
            assert (refused.value.status, refused.value.code) == (503, "artifacts")
            store = start(port)
            assert client.proof(job) == expected
            again = client.submit("many", body, index=f"0:{ROWS}", context="after")["id"]
            assert client.wait(again, 60)["state"] == "done"
    finally:
        store.stop()
