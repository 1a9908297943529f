"""A copied folder is seen by its inode, its file system, and its machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from deepprove_dist.canonical import replace
from deepprove_dist.errors import BudgetError, CopiedKeysError, SecretError
from deepprove_dist.randomness import home as module
from deepprove_dist.randomness.budget import ProofBudget
from deepprove_dist.randomness.home import Home, machine_digest, require_home
from deepprove_dist.randomness.secret import SECRET_FILE
from tests.randomness.keys_folder import make_folder, reserve_numbers


def test_a_moved_folder_goes_on(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "keys")
    assert reserve_numbers(ProofBudget.open(folder, 100, 0)) == [0]
    folder.rename(tmp_path / "elsewhere")
    assert reserve_numbers(ProofBudget.open(tmp_path / "elsewhere", 100, 0)) == [1]


def test_a_link_to_the_folder_is_the_folder(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "keys")
    (tmp_path / "link").symlink_to(folder)
    assert reserve_numbers(ProofBudget.open(tmp_path / "link", 100, 0)) == [0]
    assert reserve_numbers(ProofBudget.open(folder, 100, 0)) == [1]


def test_a_copied_folder_is_refused_and_the_first_one_goes_on(tmp_path: Path) -> None:
    folder, copy = make_folder(tmp_path / "keys"), tmp_path / "copy"
    assert reserve_numbers(ProofBudget.open(folder, 100, 0), 2) == [0, 1]
    shutil.copytree(folder, copy)
    before = {file.name: file.read_bytes() for file in copy.iterdir()}
    with pytest.raises(
        CopiedKeysError,
        match=r"another file of the secret\..*is rekeyed any more, adopt this one.*set up new keys",
    ):
        ProofBudget.open(copy, 100, 0)
    assert {file.name: file.read_bytes() for file in copy.iterdir()} == before
    assert reserve_numbers(ProofBudget.open(folder, 100, 0)) == [2]


def test_an_adopted_copy_goes_on(tmp_path: Path) -> None:
    folder, copy = make_folder(tmp_path / "keys"), tmp_path / "copy"
    assert reserve_numbers(ProofBudget.open(folder, 100, 0), 2) == [0, 1]
    shutil.copytree(folder, copy)
    ProofBudget.adopt(copy)
    assert reserve_numbers(ProofBudget.open(copy, 100, 0)) == [2]


def test_a_copy_may_begin_a_later_epoch(tmp_path: Path) -> None:
    folder, copy = make_folder(tmp_path / "keys"), tmp_path / "copy"
    shutil.copytree(folder, copy)
    with pytest.raises(BudgetError, match="already"):
        ProofBudget.begin(copy, 100, 0)
    ProofBudget.begin(copy, 50, 1)
    assert reserve_numbers(ProofBudget.open(copy, 50, 1)) == [0]


def test_a_folder_is_refused_while_it_is_open(tmp_path: Path) -> None:
    """A budget looks again before each block."""
    folder = make_folder(tmp_path / "keys")
    budget = ProofBudget.open(folder, 100, 0)
    shutil.copy(folder / SECRET_FILE, folder / "copy")
    (folder / "copy").replace(folder / SECRET_FILE)
    with pytest.raises(CopiedKeysError):
        budget.reserve()
    with pytest.raises(CopiedKeysError):
        _ = budget.remaining


def test_links_to_the_secret_are_refused(tmp_path: Path) -> None:
    """`cp -al` gives the copy the same inode, and a symbolic link leads to it."""
    folder = make_folder(tmp_path / "keys")
    linked = tmp_path / "linked"
    linked.mkdir()
    os.link(folder / SECRET_FILE, linked / SECRET_FILE)
    for path in (folder, linked):
        with pytest.raises(SecretError, match="is a link"):
            Home.of(path / SECRET_FILE)
    with pytest.raises(SecretError, match="is a link"):
        ProofBudget.open(folder, 100, 0)
    (linked / SECRET_FILE).unlink()
    (linked / SECRET_FILE).symlink_to(folder / SECRET_FILE)
    Home.of(folder / SECRET_FILE)
    with pytest.raises(SecretError, match="is a link"):
        Home.of(linked / SECRET_FILE)


def test_each_part_of_a_home_counts(tmp_path: Path) -> None:
    home = Home(1, 2, bytes(32))
    require_home(home, home, tmp_path)
    changes = {"filesystem": 3, "inode": 3, "machine": b""}
    words = {"filesystem": "another file system", "inode": "another file", "machine": "another machine"}
    for name, value in changes.items():
        with pytest.raises(CopiedKeysError, match=words[name]):
            require_home(home, replace(home, **{name: value}), tmp_path)
    with pytest.raises(
        CopiedKeysError, match="another file system and another file of the secret and another m"
    ):
        require_home(home, Home(3, 3, b""), tmp_path)


def test_a_machine_is_named_by_a_digest_of_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = (tmp_path / "first", tmp_path / "second")
    monkeypatch.setattr(module, "_MACHINE_FILES", files)
    assert machine_digest() == b""
    files[0].write_text("\n")
    assert machine_digest() == b""
    files[1].write_text("0123\n")
    digest = machine_digest()
    assert len(digest) == 32
    assert b"0123" not in digest
    files[0].write_text("4567\n")
    assert machine_digest() not in (digest, b"")


def test_another_machine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a second one that has the folder by NFS."""
    folder = make_folder(tmp_path / "keys")
    monkeypatch.setattr(module, "machine_digest", lambda: bytes(32))
    with pytest.raises(CopiedKeysError, match="another machine"):
        ProofBudget.open(folder, 100, 0)


def test_a_file_system_without_a_number_is_named_by_its_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(tmp_path / "keys")

    class Unnumbered:
        f_fsid = 0

    monkeypatch.setattr(os, "statvfs", lambda _: Unnumbered())
    assert Home.of(folder / SECRET_FILE).filesystem == folder.stat().st_dev


def test_a_folder_without_its_secret_is_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "keys")
    (folder / SECRET_FILE).unlink()
    with pytest.raises(FileNotFoundError):
        ProofBudget.open(folder, 100, 0)
    with pytest.raises(FileNotFoundError):
        ProofBudget.adopt(folder)
