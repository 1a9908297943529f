from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from deepprove_dist.errors import ChoiceError, DeepProveError, ExecutionError
from deepprove_dist.service.local_server import Listening, serve_locally
from deepprove_dist.service.runner import RunnerOptions
from deepprove_dist.service.settings import ServiceParts, ServiceSettings


def settings(folder: Path, **more: object) -> ServiceSettings:
    chosen = ServiceSettings((), folder / "state", **more)  # type: ignore[arg-type]
    chosen.prepare()
    return chosen


@pytest.mark.parametrize(
    ("option", "error", "problem"),
    [
        ({"database": "nonsense"}, ChoiceError, "--database: Could not parse"),
        (
            {"database": "sqlite:////none/jobs"},
            ExecutionError,
            "the job store does not answer: .*unable to open",
        ),
        ({"database": "oracle+none://host/jobs"}, ChoiceError, "--database: "),
        ({"artifacts": "none://bucket"}, ChoiceError, "--artifacts: Protocol not known: none"),
    ],
)
def test_addresses_that_are_none_are_one_line(
    option: dict[str, str], error: type[DeepProveError], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=problem) as raised:
        ServiceParts.open(settings(tmp_path, **option))
    assert "\n" not in str(raised.value)


def test_jobs_are_their_owners_alone_also_in_a_folder_that_others_read(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    ServiceParts.open(settings(tmp_path)).store.close()
    files = [*(tmp_path / "state").glob("jobs.sqlite*")]
    assert files
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o077 == 0 for file in files)


def test_submissions_know_that_spent_keys_are_rekeyed(tmp_path: Path) -> None:
    chosen = settings(tmp_path, options=RunnerOptions(auto_rekey=True))
    assert ServiceParts.open(chosen).jobs().limits.rekeys


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ExecutionError, match=f"cannot listen at 127.0.0.1, port {port}: .*in use"):
            serve_locally(settings(tmp_path), Listening(port=port))
