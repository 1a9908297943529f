"""Keys in folders: what is written, what is refused, and that one budget is counted in one place."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deepprove_dist import atomic, keys
from deepprove_dist.errors import (
    BudgetError,
    CopiedKeysError,
    ExecutionError,
    FormatError,
    InputError,
    KindError,
    SecretError,
)
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.key_budget import KeyBudget
from deepprove_dist.keys import INTEGER_MODEL, VERIFYING_KEY, save_keys
from deepprove_dist.proving_key import ProvingKey
from deepprove_dist.randomness.counter import COUNTER_FILE, read_counter
from deepprove_dist.randomness.secret import SECRET_FILE, Secret
from tests.hiding_keys import PROVER, TRANSPARENT, X, hiding_keys, transparent_keys

FILES = {INTEGER_MODEL, VERIFYING_KEY, SECRET_FILE, COUNTER_FILE, "proofs.lock"}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def saved(folder: Path) -> Path:
    hiding_keys().save(folder)
    return folder


def test_hiding_keys_have_a_secret_and_a_counter(tmp_path: Path) -> None:
    folder = saved(tmp_path / "keys")
    assert names(folder) == FILES
    assert (folder / SECRET_FILE).stat().st_mode & 0o777 == 0o600
    loaded = ProvingKey.load(folder, threads=1)
    assert loaded.hiding
    assert loaded.remaining == 1
    proof = loaded.prove(X)
    assert (proof.remaining, loaded.remaining, ProvingKey.remaining_in(folder)) == (0, 0, 0)
    loaded.verifying.verify(proof)
    with pytest.raises(BudgetError, match="none left; rekey"):
        loaded.prove(X)
    with pytest.raises(BudgetError, match="none left; rekey"):
        ProvingKey.load(folder, threads=1).prove(X)


def test_transparent_keys_have_neither(tmp_path: Path) -> None:
    transparent = transparent_keys()
    assert not transparent.hiding
    assert transparent.remaining is None
    for folder in (tmp_path / "one", tmp_path / "two", tmp_path / "one"):
        transparent.save(folder)
        assert names(folder) == {INTEGER_MODEL, VERIFYING_KEY}
    proof = ProvingKey.load(tmp_path / "one", threads=1).prove(X)
    assert proof.remaining is None
    assert proof.content == transparent.prove(X).content
    with pytest.raises(InputError, match="transparent keys: they prove anywhere"):
        ProvingKey.adopt(tmp_path / "one")


def test_what_memory_used_is_used_on_disk(tmp_path: Path) -> None:
    fresh = hiding_keys()
    assert fresh.prove(X).remaining == 0
    fresh.save(tmp_path)
    assert fresh.remaining == 0
    with pytest.raises(BudgetError, match="none left"):
        ProvingKey.load(tmp_path, threads=1).prove(X)


def test_keys_are_saved_in_one_folder(tmp_path: Path) -> None:
    fresh = hiding_keys()
    fresh.save(tmp_path / "keys")
    fresh.save(tmp_path / "keys")
    fresh.save(tmp_path / "." / "keys")
    for other in (fresh, ProvingKey.load(tmp_path / "keys", threads=1)):
        with pytest.raises(BudgetError, match=r"saved in .*keys, and not to .*two.*Move the folder"):
            other.save(tmp_path / "two")
    assert not (tmp_path / "two").exists()


def test_a_folder_with_another_set_up_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "keys")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for other in (hiding_keys(), transparent_keys()):
        with pytest.raises(
            SecretError, match=r"holds another set-up: it has proving.secret and proofs.counter"
        ):
            other.save(folder)
    transparent_keys().save(tmp_path / "public")
    with pytest.raises(SecretError, match=r"it has verifying.key"):
        hiding_keys().save(tmp_path / "public")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("failing", [INTEGER_MODEL, COUNTER_FILE, VERIFYING_KEY])
def test_a_save_that_fails_leaves_no_part_and_counts_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    fresh, write = hiding_keys(), atomic.write_atomically

    def full(path: Path, content: bytes | memoryview) -> None:
        if path.name == failing:
            raise OSError("the disk is full")
        write(path, content)

    monkeypatch.setattr(keys, "write_atomically", full)
    monkeypatch.setattr("deepprove_dist.randomness.counter.write_atomically", full)
    with pytest.raises(OSError, match="full"):
        fresh.save(tmp_path / "keys")
    left = names(tmp_path / "keys") if (tmp_path / "keys").exists() else set()
    assert left <= {INTEGER_MODEL, "proofs.lock"}
    assert fresh.prove(X).remaining == 0
    monkeypatch.undo()
    fresh.save(tmp_path / "keys")
    assert ProvingKey.remaining_in(tmp_path / "keys") == 0


def test_a_copied_folder_is_refused_until_it_is_adopted(tmp_path: Path) -> None:
    folder = saved(tmp_path / "keys")
    shutil.copytree(folder, tmp_path / "copy")
    with pytest.raises(CopiedKeysError, match=r"was copied or moved.*deepprove-dist adopt"):
        ProvingKey.load(tmp_path / "copy", threads=1)
    folder.rename(tmp_path / "renamed")
    assert ProvingKey.load(tmp_path / "renamed", threads=1).remaining == 1
    ProvingKey.adopt(tmp_path / "copy")
    assert ProvingKey.load(tmp_path / "copy", threads=1).prove(X).remaining == 0


def test_missing_and_readable_secrets_are_sentences(tmp_path: Path) -> None:
    folder = saved(tmp_path / "keys")
    (folder / SECRET_FILE).chmod(0o640)
    with pytest.raises(SecretError, match="chmod 600"):
        ProvingKey.load(folder, threads=1)
    (folder / SECRET_FILE).unlink()
    for call in (ProvingKey.load, ProvingKey.adopt, ProvingKey.remaining_in, ProvingKey.rekey_folder):
        with pytest.raises(SecretError, match=r"has no proving.secret.*with their secret only"):
            call(folder)


def test_another_secret_or_counter_is_refused(tmp_path: Path) -> None:
    folder, other = saved(tmp_path / "keys"), tmp_path / "other"
    transparent_keys().save(other)
    for name in (SECRET_FILE, COUNTER_FILE):
        shutil.copy2(folder / name, other / name)
    # Transparent keys need neither.
    ProvingKey.load(other, threads=1)
    (folder / COUNTER_FILE).unlink()
    with pytest.raises(BudgetError, match=r"has no proofs.counter"):
        ProvingKey.load(folder, threads=1)
    (folder / COUNTER_FILE).write_bytes(b"none")
    with pytest.raises(BudgetError, match="rekey"):
        ProvingKey.load(folder, threads=1)
    shutil.rmtree(folder)
    saved(folder)
    (folder / SECRET_FILE).unlink()
    Secret.generate().save(folder / SECRET_FILE)
    ProvingKey.adopt(folder)
    with pytest.raises(FormatError, match="the integer model and the secret are not those"):
        ProvingKey.load(folder, threads=1)


def test_processes_share_the_budget_of_a_folder(tmp_path: Path) -> None:
    folder = saved(tmp_path / "keys")
    script = (
        "import sys, numpy as np, deepprove_dist as dp\n"
        "keys = dp.ProvingKey.load(sys.argv[1], threads=1)\n"
        "try: print(keys.prove(np.zeros((1, 2, 2))).remaining)\n"
        "except Exception as error: print(type(error).__name__)\n"
    )
    command = [sys.executable, "-c", script, str(folder)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = sorted(process.communicate()[0].strip() for process in processes)
    assert printed == ["0", "BudgetError"]
    counter = read_counter(folder)
    assert counter is not None
    assert counter.used == 1


def test_a_group_of_workers_proves_with_the_secret_and_the_epoch_of_a_folder(tmp_path: Path) -> None:
    folder = saved(tmp_path / "keys")
    alone = ProvingKey.load(folder, threads=1)
    for epoch in (0, 1):
        group = WorkerGroup(InProcessExecutor(2, create_worker))
        shared = ProvingKey.load(folder, threads=1, workers=group)
        assert (shared.remaining, len(shared.certificates)) == (1, epoch)
        proof = shared.prove(X)
        assert ProvingKey.remaining_in(folder) == proof.remaining == 0
        alone.verifying.verify(proof)
        with pytest.raises(ExecutionError, match="without workers"):
            shared.rekey()
        alone = alone.rekey()[0]


def test_hiding_keys_have_a_budget_and_others_have_none(tmp_path: Path) -> None:
    for prover, budget in ((PROVER, None), (TRANSPARENT, KeyBudget(1))):
        with pytest.raises(KindError, match="a budget for a prover that hides"):
            ProvingKey(prover, budget=budget)
    with pytest.raises(BudgetError, match="saved with the budget"):
        save_keys(PROVER, tmp_path)


def test_a_secret_is_in_no_text(tmp_path: Path) -> None:
    fresh = hiding_keys()
    fresh.save(tmp_path / "keys")
    secret = bytes(range(32))
    texts = [repr(fresh), repr(fresh.prover), repr(fresh.budget), str(vars(fresh.prover))]
    assert not any(secret.hex() in text or str(secret) in text for text in texts)
    for path in (tmp_path / "keys").iterdir():
        assert (secret in path.read_bytes()) == (path.name == SECRET_FILE)
    assert secret not in fresh.prove(X).content
