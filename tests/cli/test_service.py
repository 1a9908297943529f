"""`prove --service`: the same files as a proof that is made here, by a service in its process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import deepprove_dist as dp
from benchmarks.serving import Service, serving
from deepprove_dist.cli import main
from deepprove_dist.cli import service as service_module
from deepprove_dist.service.client import Client

MODEL = Path(__file__).parents[2] / "assets" / "models" / "iris_mlp_d1_w10"
INPUT = ("--input", MODEL / "input.json")


def run(*arguments: object, **more: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with hiding keys of a hidden input, `hidden`, and transparent ones, `plain`."""
    folder = tmp_path_factory.mktemp("service")
    model, samples = MODEL / "model.onnx", MODEL / "calibration.npz"
    dp.setup(model, samples, threads=1, transparent=True).save(folder / "plain")
    (name,) = dp.ProvingKey.load(folder / "plain").verifying.content.inputs
    dp.setup(model, samples, threads=1, hide_inputs=(name.name,)).save(folder / "hidden")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Service]:
    with serving(folder / "state", folder / "plain", folder / "hidden") as server:
        yield server


def test_the_proof_has_the_bytes_of_one_made_here(folder: Path, server: Service, tmp_path: Path) -> None:
    service = ("--service", server.client.url, "--token-file", folder / "state" / "tokens")
    statement = (*INPUT, "--index", 1, "--context", "nonce")
    result = run("prove", "plain", *statement, "-o", tmp_path / "there", *service, "--json")
    assert result.exit_code == 0, result.output
    here = run("prove", folder / "plain", *statement, "-o", tmp_path / "here", "--json")
    assert (tmp_path / "there").read_bytes() == (tmp_path / "here").read_bytes()
    fields, expected = json.loads(result.stdout), json.loads(here.stdout)
    assert expected.keys() - fields.keys() == set()
    for name in ("output", "output_integers", "mode", "hides", "proof_bytes", "remaining"):
        assert fields[name] == expected[name]


def test_a_hidden_input_has_its_opening(folder: Path, server: Service, tmp_path: Path) -> None:
    token = {"env": {**os.environ, service_module.TOKEN: server.client.token}}
    result = run(
        *("prove", "hidden", *INPUT, "-o", tmp_path / "proof", "--service", server.client.url), **token
    )
    assert result.exit_code == 0, result.output
    assert "Opening written to" in result.output
    (opening,) = tmp_path.glob("proof.*.opening")
    assert opening.stat().st_mode & 0o077 == 0
    verified = run("verify", folder / "hidden" / "verifying.key", tmp_path / "proof", "--json")
    (digest,) = json.loads(verified.stdout)["input_commitments"].values()
    assert run("reveal", opening, "--commitment", digest).exit_code == 0


def test_control_c_cancels_the_job(
    server: Service, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the service was asked, and has not answered yet."""
    sent, cancelled = list[str](), list[str]()
    submit, cancel = Client.submit, Client.cancel

    def interrupted(self: Client, *arguments: Any, **options: Any) -> dict[str, Any]:
        sent.append(submit(self, *arguments, **options)["id"])
        if len(sent) == 1:
            raise KeyboardInterrupt
        return {"id": sent[-1]}

    def note(self: Client, job: str) -> dict[str, Any]:
        cancelled.append(job)
        return cancel(self, job)

    monkeypatch.setattr(Client, "submit", interrupted)
    monkeypatch.setattr(Client, "cancel", note)
    service = ("--service", server.client.url, "--token-file", folder / "state" / "tokens")
    assert run("prove", "plain", *INPUT, "-o", tmp_path / "proof", *service).exit_code != 0
    assert {*sent} == {*cancelled}
    assert not (tmp_path / "proof").exists()


def test_what_the_service_refuses_is_one_line(folder: Path, server: Service, tmp_path: Path) -> None:
    service = ("--service", server.client.url, "--token-file", folder / "state" / "tokens")
    result = run("prove", "none", *INPUT, "-o", tmp_path / "proof", *service)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: there is no key 'none'; there are ['hidden', 'plain']\n"
    np.save(tmp_path / "other.npy", np.zeros((1, 3)))
    result = run("prove", "plain", "--input", tmp_path / "other.npy", "-o", tmp_path / "proof", *service)
    assert "the body" in result.stderr
    assert not (tmp_path / "proof").exists()


def test_a_token_is_needed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(service_module.TOKEN, raising=False)
    result = run("prove", "plain", *INPUT, "-o", tmp_path / "proof", "--service", "http://127.0.0.1:1")
    assert result.exit_code == 2
    assert "give --token-file" in result.stderr


@pytest.mark.parametrize("option", [("--workers", 2), ("--local",), ("--threads", 1), ("--auto-rekey",)])
def test_options_of_this_machine_are_refused(option: tuple[object, ...], tmp_path: Path) -> None:
    service = ("--service", "http://127.0.0.1:1")
    result = run("prove", "plain", *INPUT, "-o", tmp_path / "proof", *service, *option)
    assert result.exit_code == 2
    assert f"{option[0]} says how this machine proves" in result.stderr


def test_without_a_service_keys_are_a_folder(tmp_path: Path) -> None:
    result = run("prove", tmp_path / "none", *INPUT, "-o", tmp_path / "proof")
    assert result.exit_code == 2
    assert "does not exist" in result.stderr
