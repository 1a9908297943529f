from __future__ import annotations

from pathlib import Path

import pytest

from deepprove_dist.errors import FormatError, SecretError
from deepprove_dist.service.clients import Clients, read_token

TOKEN, OTHER = "a" * 20, "b" * 20


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_token_is_its_clients_and_nobody_elses(tmp_path: Path) -> None:
    clients = Clients.load(write(tmp_path / "tokens", f"# who may\n\nalice {TOKEN}\nbob {OTHER} 3\n"))
    alice, bob = clients.authenticate(TOKEN), clients.authenticate(OTHER)
    assert alice is not None
    assert bob is not None
    assert [(alice.name, alice.max_priority), (bob.name, bob.max_priority)] == [("alice", 9), ("bob", 3)]
    for token in ("", TOKEN[:-1], TOKEN + "a", "alice", "\udc80"):
        assert clients.authenticate(token) is None
    assert TOKEN not in repr(alice)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no client"),
        ("alice", "line 1 is no client"),
        (f"alice {TOKEN} 1 2", "line 1 is no client"),
        ("alice short", "fewer than 16"),
        (f"alice {TOKEN} 10", "a priority that is none"),
        (f"alice {TOKEN} x", "a priority that is none"),
        (f"alice {TOKEN}\nalice {OTHER}", "twice"),
        (f"alice {TOKEN}\nbob {TOKEN}", "twice"),
    ],
)
def test_a_file_that_is_wrong_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=problem):
        Clients.load(write(tmp_path / "tokens", text))


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "tokens", f"alice {TOKEN}", 0o640)
    with pytest.raises(SecretError, match="others may use"):
        Clients.load(path)
    with pytest.raises(SecretError, match="others may use"):
        read_token(path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "tokens", "")
    path.write_bytes(b"\xff")
    with pytest.raises(FormatError, match="UTF-8"):
        Clients.load(path)


def test_a_new_file_has_one_client(tmp_path: Path) -> None:
    Clients.generate(tmp_path / "tokens")
    token = read_token(tmp_path / "tokens")
    assert len(token) >= 32
    client = Clients.load(tmp_path / "tokens").authenticate(token)
    assert client is not None
    assert client.name == "owner"


def test_a_clients_file_may_have_the_token_alone(tmp_path: Path) -> None:
    assert read_token(write(tmp_path / "token", f"{TOKEN}\n")) == TOKEN
    with pytest.raises(SecretError, match="no token"):
        read_token(write(tmp_path / "token", "\n"))
