"""Ray's authentication mode is never left to chance."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepprove_dist.execution.cluster.ray_authentication import MODE, TOKEN, TOKEN_FILE, authentication


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (MODE, TOKEN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "token"))


@pytest.mark.parametrize("there", [True, False])
def test_a_cluster_is_joined_with_the_token_that_there_is(there: bool, tmp_path: Path) -> None:
    if there:
        (tmp_path / "token").write_text("secret")
    assert authentication() == {MODE: "token" if there else "disabled"}


def test_a_token_in_the_environment_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "secret")
    assert authentication() == {MODE: "token"}


def test_what_the_user_says_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODE, "disabled")
    assert authentication() == {}


def test_this_process_is_left_as_it_is() -> None:
    authentication()
    assert MODE not in os.environ
