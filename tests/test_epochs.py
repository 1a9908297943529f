"""Epochs of keys: in memory and in a folder, with their certificates, and the budgets that they begin."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import deepprove_dist as dp
from deepprove_dist.canonical import replace
from deepprove_dist.epochs import certificate_path, current_epoch, list_epochs, read_chain, rekey_folder
from deepprove_dist.errors import BudgetError, CopiedKeysError, FormatError, InputError, VerificationError
from deepprove_dist.keys import load_prover
from deepprove_dist.protocol.messages import certificate as certificate_file
from deepprove_dist.randomness.counter import COUNTER_FILE, read_counter
from tests.hiding_keys import X, hiding_keys, transparent_keys


def saved(folder: Path) -> Path:
    hiding_keys().save(folder)
    return folder


def test_keys_in_memory_are_rekeyed() -> None:
    keys = hiding_keys()
    keys.prove(X)
    later, certificate = keys.rekey()
    assert (certificate.old_epoch, certificate.new_epoch) == (0, 1)
    assert later.remaining == 1
    assert later.verifying.digest == keys.verifying.digest
    for call in (lambda: keys.prove(X), keys.rekey):
        with pytest.raises(BudgetError, match="were rekeyed"):
            call()
    carried, verifying = later.prove(X), hiding_keys().verifying
    verifying.verify(carried)
    assert later.remaining == 0


def test_a_proof_without_certificates_needs_them_once() -> None:
    later, certificate = hiding_keys().rekey()
    proof, key = later.prove(X, carry=False), hiding_keys().verifying
    with pytest.raises(VerificationError, match="certificate is missing"):
        key.verify(proof)
    assert key.accept(certificate) == 1
    key.verify(proof)
    hiding_keys().verifying.verify(proof.with_certificates(later.certificates))


def test_a_folder_goes_on_in_its_next_epoch(tmp_path: Path) -> None:
    folder = saved(tmp_path / "keys")
    keys = dp.ProvingKey.load(folder, threads=1)
    later, certificate = keys.rekey()
    assert certificate_path(folder, 1).read_bytes() == certificate.content
    assert (current_epoch(folder), list_epochs(folder), later.remaining) == (1, [1], 1)
    with pytest.raises(BudgetError, match="were rekeyed"):
        keys.prove(X)
    loaded = dp.ProvingKey.load(folder, threads=1)
    assert loaded.certificates == (certificate,)
    proof = loaded.prove(X)
    dp.VerifyingKey.load(folder / "verifying.key").verify(proof)
    assert later.remaining == 0


def test_another_process_that_rekeyed_is_noticed(tmp_path: Path) -> None:
    folder = saved(tmp_path / "keys")
    one, two = (dp.ProvingKey.load(folder, threads=1) for _ in range(2))
    one.rekey()
    with pytest.raises(BudgetError, match="rekeyed meanwhile: load the keys again"):
        two.rekey()
    with pytest.raises(BudgetError, match="load the keys again"):
        two.prove(X)
    assert list_epochs(folder) == [1]


@pytest.mark.parametrize("counter", [None, b"damaged"])
def test_a_lost_counter_and_a_copy_are_rekeyed(tmp_path: Path, counter: bytes | None) -> None:
    shutil.copytree(saved(tmp_path / "keys"), tmp_path / "copy")
    folder = tmp_path / "copy"
    (folder / COUNTER_FILE).unlink()
    if counter is not None:
        (folder / COUNTER_FILE).write_bytes(counter)
    certificate = dp.ProvingKey.rekey_folder(folder, threads=1)
    assert certificate.new_epoch == 1
    proof = dp.ProvingKey.load(folder, threads=1).prove(X)
    dp.VerifyingKey.load(folder / "verifying.key").verify(proof)


def test_two_copies_make_different_epochs(tmp_path: Path) -> None:
    shutil.copytree(saved(tmp_path / "keys"), tmp_path / "copy")
    first = dp.ProvingKey.rekey_folder(tmp_path / "keys", threads=1)
    # Each copy would spend the anchor's random rows for certificates again.
    with pytest.raises(CopiedKeysError, match="adopt this one"):
        dp.ProvingKey.rekey_folder(tmp_path / "copy", threads=1)
    assert list_epochs(tmp_path / "copy") == []
    dp.ProvingKey.adopt(tmp_path / "copy")
    certificates = [first, dp.ProvingKey.rekey_folder(tmp_path / "copy", threads=1)]
    one, two = (certificate_file.load(bytes(item)).statement for item in certificates)
    assert one.new.number == two.new.number == 1
    assert one.new.root != two.new.root
    assert one.nonce != two.nonce


def test_a_crash_before_the_counter_began_leaves_the_old_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved(tmp_path / "keys")
    prover = load_prover(folder, threads=1)

    def crash(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("deepprove_dist.randomness.budget.write_counter", crash)
        with pytest.raises(KeyboardInterrupt):
            rekey_folder(folder, prover)
    assert list_epochs(folder) == [1]
    assert current_epoch(folder) == 0
    unseen = certificate_path(folder, 1).read_bytes()
    assert dp.ProvingKey.load(folder, threads=1).prove(X).remaining == 0
    dp.ProvingKey.rekey_folder(folder, threads=1)
    assert certificate_path(folder, 1).read_bytes() != unseen
    counter = read_counter(folder)
    assert counter is not None
    assert (counter.epoch, counter.used) == (1, 0)


def test_a_chain_is_read_from_the_anchor_on(tmp_path: Path) -> None:
    folder = saved(tmp_path / "keys")
    for _ in range(2):
        dp.ProvingKey.rekey_folder(folder, threads=1)
    assert read_chain(folder, 0) == ()
    assert read_chain(folder, 2) == (certificate_path(folder, 2).read_bytes(),)
    certificate_path(folder, 2).write_bytes(certificate_path(folder, 1).read_bytes())
    with pytest.raises(FormatError, match="certificate of another epoch"):
        read_chain(folder, 2)
    content = certificate_file.load(certificate_path(folder, 1).read_bytes())
    wrong = replace(content, statement=replace(content.statement, old=content.statement.new))
    certificate_path(folder, 1).write_bytes(certificate_file.dump(wrong))
    with pytest.raises(FormatError, match="another epoch"):
        read_chain(folder, 1)


def test_keys_of_a_later_epoch_are_saved_with_their_certificates(tmp_path: Path) -> None:
    later, certificate = hiding_keys().rekey()
    later.save(tmp_path / "keys")
    loaded = dp.ProvingKey.load(tmp_path / "keys", threads=1)
    assert loaded.certificates == (certificate,)
    loaded.prove(X)


def test_transparent_keys_have_no_epochs(tmp_path: Path) -> None:
    transparent_keys().save(tmp_path / "keys")
    for call in (
        transparent_keys().rekey,
        lambda: dp.ProvingKey.rekey_folder(tmp_path / "keys", threads=1),
    ):
        with pytest.raises(InputError, match="have no epochs"):
            call()
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["model.integer", "verifying.key"]
