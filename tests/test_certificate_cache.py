"""Certificates are remembered in a folder of the user's own, and in no other."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

import pytest

from deepprove_dist.certificate_cache import CertificateCache

NAME, OTHER = bytes(32), bytes(31) + b"\1"


@pytest.fixture
def cache(tmp_path: Path) -> CertificateCache:
    return CertificateCache(tmp_path / "new" / "certificates")


def test_what_was_added_is_remembered(cache: CertificateCache) -> None:
    assert NAME not in cache
    cache.add(NAME)
    cache.add(NAME)
    assert NAME in cache
    assert NAME in CertificateCache(cache.folder)
    assert OTHER not in cache
    assert cache.folder.stat().st_mode & 0o777 == 0o700


def test_another_version_checks_again(cache: CertificateCache) -> None:
    cache.add(NAME)
    with patch("deepprove_dist.certificate_cache.__version__", "0.0.9"):
        assert NAME not in cache


def test_a_folder_that_others_may_write_to_is_not_used(cache: CertificateCache) -> None:
    cache.add(NAME)
    cache.folder.chmod(0o770)
    assert NAME not in cache
    cache.add(OTHER)
    cache.folder.chmod(0o700)
    assert NAME in cache
    assert OTHER not in cache


def test_a_folder_of_another_user_is_not_used(cache: CertificateCache) -> None:
    cache.add(NAME)
    with patch("os.geteuid", return_value=os.geteuid() + 1):
        assert NAME not in cache
        cache.add(OTHER)
    assert OTHER not in cache


def test_links_are_not_followed(cache: CertificateCache, tmp_path: Path) -> None:
    cache.add(NAME)
    link = CertificateCache(tmp_path / "link")
    link.folder.symlink_to(cache.folder)
    assert NAME not in link
    (entry,) = cache.folder.iterdir()
    entry.rename(tmp_path / "elsewhere")
    entry.symlink_to(tmp_path / "elsewhere")
    assert NAME not in cache


def test_nothing_depends_on_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = CertificateCache(tmp_path / "file" / "certificates")
    cache.add(NAME)
    assert NAME not in cache


def test_the_user_has_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert CertificateCache.of_user().folder.is_relative_to(tmp_path)
