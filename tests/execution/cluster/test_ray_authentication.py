"""Ray's authentication mode is never left to chance."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from deepprove_dist.execution.cluster.ray_authentication import MODE, TOKEN, TOKEN_FILE, choose_authentication


@pytest.fixture(autouse=True)
def _without_ray(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (MODE, TOKEN):
        # Set first: what the function under test sets is undone with it.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "token"))
    monkeypatch.delitem(sys.modules, "ray", raising=False)


def test_a_local_cluster_has_a_token_of_its_own_and_writes_none() -> None:
    choose_authentication(None)
    assert os.environ[MODE] == "token"
    assert len(os.environ[TOKEN]) == 64


@pytest.mark.parametrize("there", [True, False])
def test_a_cluster_is_joined_with_the_token_that_there_is(there: bool, tmp_path: Path) -> None:
    if there:
        (tmp_path / "token").write_text("secret")
    choose_authentication("192.0.2.1:6379")
    assert os.environ[MODE] == ("token" if there else "disabled")
    assert TOKEN not in os.environ


def test_what_the_user_says_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODE, "disabled")
    choose_authentication(None)
    assert os.environ[MODE] == "disabled"
    assert TOKEN not in os.environ
