"""Budgets of proofs in memory and in folders: counted once, wherever they are."""

from __future__ import annotations

import copy
import os
import pickle
import threading
from pathlib import Path

import pytest

from deepprove_dist.errors import BudgetError, CopiedKeysError, SecretError
from deepprove_dist.key_budget import BLOCK, KeyBudget
from deepprove_dist.randomness.budget import ProofBudget
from deepprove_dist.randomness.counter import read_counter
from deepprove_dist.randomness.secret import SECRET_FILE, Secret
from tests.randomness.keys_folder import make_folder


def numbers(budget: KeyBudget, count: int) -> list[int]:
    return [budget.reserve().number for _ in range(count)]


def with_secret(folder: Path) -> Path:
    folder.mkdir()
    Secret.generate().save(folder / SECRET_FILE)
    return folder


def test_memory_counts_to_the_limit() -> None:
    budget = KeyBudget(3, 2)
    assert (budget.folder, budget.limit, budget.epoch, budget.remaining) == (None, 3, 2, 3)
    reservations = [budget.reserve() for _ in range(3)]
    assert [(r.epoch, r.number) for r in reservations] == [(2, 0), (2, 1), (2, 2)]
    assert len({r.nonce for r in reservations}) == 3
    assert budget.remaining == 0
    with pytest.raises(BudgetError, match=r"may make 3 proofs in epoch 2, and have none left.*Rekey"):
        budget.reserve()


def test_without_a_limit_numbers_still_differ() -> None:
    budget = KeyBudget(None)
    assert numbers(budget, 3) == [0, 1, 2]
    assert budget.remaining is None


def test_what_was_used_goes_along_to_a_folder(tmp_path: Path) -> None:
    folder, budget = with_secret(tmp_path / "keys"), KeyBudget(10)
    numbers(budget, 4)
    with budget.saved_in(folder):
        counter = read_counter(folder)
    assert counter is not None
    assert counter.used == 4
    assert budget.folder == folder
    assert budget.remaining == 6
    assert numbers(budget, 2) == [4, 5]
    other = KeyBudget.of_folder(folder, 10)
    assert other.remaining == 4
    assert numbers(other, 4) == [6, 7, 8, 9]
    assert budget.remaining == 0
    with pytest.raises(BudgetError, match="none left"):
        budget.reserve()


def test_a_second_folder_is_refused(tmp_path: Path) -> None:
    budget = KeyBudget(10)
    with budget.saved_in(with_secret(tmp_path / "keys")):
        pass
    with (
        pytest.raises(BudgetError, match=r"twice. Move the folder"),
        budget.saved_in(with_secret(tmp_path / "two")),
    ):
        pass


def test_a_folder_that_could_not_be_written_leaves_the_budget_in_memory(tmp_path: Path) -> None:
    folder, budget = with_secret(tmp_path / "keys"), KeyBudget(10)
    numbers(budget, 2)
    with pytest.raises(OSError, match="full"), budget.saved_in(folder):
        raise OSError("full")
    assert budget.folder is None
    assert numbers(budget, 1) == [2]


def test_many_proofs_of_a_process_are_reserved_in_blocks(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "keys", limit=1000)
    budget = KeyBudget.of_folder(folder, 1000)
    assert numbers(budget, 1) == [0]
    assert read_counter(folder).used == 1  # type: ignore[union-attr]
    assert numbers(budget, 2) == [1, 2]
    assert read_counter(folder).used == 1 + BLOCK  # type: ignore[union-attr]
    assert budget.remaining == 997
    del budget
    # What is left of a block is given back.
    assert read_counter(folder).used == 3  # type: ignore[union-attr]


def test_threads_get_different_numbers(tmp_path: Path) -> None:
    for budget in (KeyBudget(200), KeyBudget.of_folder(make_folder(tmp_path / "keys", limit=200), 200)):
        taken: list[int] = []
        threads = [
            threading.Thread(target=lambda b=budget, t=taken: t.extend(numbers(b, 25))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == list(range(200))


def test_a_forked_process_does_not_count_in_memory() -> None:
    budget = KeyBudget(10)
    process = os.fork()
    if process == 0:
        try:
            budget.reserve()
        except BudgetError as error:
            os._exit(7 if "Save them" in str(error) else 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 7
    assert numbers(budget, 1) == [0]


def test_an_ended_budget_hands_nothing_out(tmp_path: Path) -> None:
    budget = KeyBudget(10)
    budget.end()
    assert budget.remaining == 0
    for call in (budget.reserve, budget.end):
        with pytest.raises(BudgetError, match="were rekeyed"):
            call()
    with pytest.raises(BudgetError, match="were rekeyed"), budget.saved_in(with_secret(tmp_path / "keys")):
        pass


def test_folders_are_checked(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "keys", limit=10)
    with pytest.raises(BudgetError, match="the key is for 11 proofs"):
        KeyBudget.of_folder(folder, 11)
    with pytest.raises(BudgetError, match=r"epoch 0, and the key is for .* epoch 1"):
        KeyBudget.of_folder(folder, 10, 1)
    budget = KeyBudget.of_folder(folder, 10)
    ProofBudget.begin(folder, 10, 1)
    with pytest.raises(BudgetError, match="load the keys again"):
        budget.reserve()
    (folder / SECRET_FILE).rename(tmp_path / "kept")
    (folder / SECRET_FILE).write_bytes((tmp_path / "kept").read_bytes())
    with pytest.raises(CopiedKeysError, match="adopt"):
        KeyBudget.of_folder(folder, 10, 1)
    (folder / SECRET_FILE).unlink()
    with pytest.raises((SecretError, OSError)):
        KeyBudget.of_folder(folder, 10, 1)


def test_it_is_not_copied() -> None:
    for call in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="same numbers"):
            call(KeyBudget(1))
    assert "KeyBudget(1, 0, folder=None)" in repr(KeyBudget(1))
