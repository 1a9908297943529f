"""A new epoch has the same weights and fresh tails, and follows from the keys and a nonce alone."""

from __future__ import annotations

import pytest

from deepprove_dist.errors import ExecutionError, FormatError, InputError, VerificationError
from deepprove_dist.protocol.argument.local_backend import LocalBackend
from deepprove_dist.protocol.messages.certificate import load
from deepprove_dist.protocol.parameters import CERTIFICATES
from deepprove_dist.prover import Prover
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.rekeying import old_epoch, rekey
from deepprove_dist.setup_options import Options
from tests.model.small_model import small_model
from tests.protocol.certificate.epochs import EPOCHS, NONCE, POOL, chain, content, hiding_key
from tests.protocol.example import proving_key
from tests.records import replace


def test_an_epoch_has_its_number_and_a_root_of_its_own() -> None:
    epochs = [prover.epoch for prover in chain()]
    assert [epoch and epoch.number for epoch in epochs] == list(range(EPOCHS + 1))
    assert len({epoch.root for epoch in epochs if epoch}) == EPOCHS + 1
    assert all(prover.verifying is hiding_key().verifying for prover in chain())


def test_tails_are_all_that_differs() -> None:
    code = hiding_key().verifying.schedule.initial
    rows, tail = 1 << code.log_rows, code.tail("weights")
    first, second = (prover.backend for prover in chain()[:2])
    assert isinstance(first, LocalBackend)
    assert isinstance(second, LocalBackend)
    assert first.local_weights.matrix is not None
    assert second.local_weights.matrix is not None
    old = first.local_weights.matrix.to_array().reshape(-1, rows)
    new = second.local_weights.matrix.to_array().reshape(-1, rows)
    assert (old[:, : rows - tail] == new[:, : rows - tail]).all()
    assert (old[:, rows - tail :] == new[:, rows - tail :]).mean() < 0.01


def test_keys_and_a_nonce_give_the_same_bytes() -> None:
    again, certificate = rekey(chain()[0], NONCE)
    assert certificate == chain()[1].certificates[0]
    assert again.epoch == chain()[1].epoch
    other = Prover.generate(small_model(), Options(hiding=True, proofs=1, max_batch=2), POOL, secret(1))
    assert rekey(other, NONCE)[1] == certificate
    assert rekey(hiding_key(2), NONCE)[1] != certificate


def test_each_epoch_draws_its_nonce() -> None:
    """Two copies of a folder make two epochs of one number, which share no random row."""
    rekeyed = [rekey(chain()[0]) for _ in range(2)]
    statements = [load(certificate).statement for _, certificate in rekeyed]
    assert len({statement.nonce for statement in [*statements, content().statement]}) == 3
    assert len({statement.new.root for statement in [*statements, content().statement]}) == 3
    for prover, _ in rekeyed:
        loaded = Prover.load(small_model(), prover.verifying, POOL, prover.secret, prover.certificates)
        assert loaded.epoch == prover.epoch


@pytest.mark.parametrize("epoch", [0, 1, CERTIFICATES - 1, EPOCHS])
def test_a_prover_is_loaded_in_its_epoch(epoch: int) -> None:
    prover = chain()[epoch]
    loaded = Prover.load(small_model(), prover.verifying, POOL, prover.secret, prover.certificates)
    assert loaded.epoch == prover.epoch
    assert loaded.certificates == prover.certificates
    if epoch < EPOCHS:
        assert rekey(loaded, NONCE)[1] == chain()[epoch + 1].certificates[-1]


def test_the_chain_grows_by_one_for_all_that_an_epoch_certifies() -> None:
    assert [old_epoch(number) for number in (1, 2, 7, 8, 14, 15)] == [0, 0, 0, 7, 7, 14]
    assert chain()[CERTIFICATES].certificates[0] == chain()[CERTIFICATES - 1].certificates[0]
    assert chain()[CERTIFICATES + 1].certificates[0] == chain()[CERTIFICATES - 1].certificates[0]


def test_a_prover_of_an_epoch_has_that_epochs_weights() -> None:
    with pytest.raises(FormatError, match="other weights"):
        replace(chain()[0], certificates=chain()[1].certificates).require_commitment()
    chain()[1].require_commitment()


def test_certificates_of_other_keys_are_refused() -> None:
    other = rekey(hiding_key(2))[1]
    with pytest.raises(VerificationError, match="another key"):
        Prover.load(small_model(), hiding_key().verifying, POOL, secret(1), (other,))


def test_keys_without_epochs_are_refused() -> None:
    public = Prover.generate(small_model(), Options("public", hiding=True), POOL, secret(1))
    for prover in (proving_key(), proving_key("public"), public):
        assert prover.epoch is None
        with pytest.raises(InputError, match="no epochs"):
            rekey(prover)


def test_weights_with_workers_are_refused() -> None:
    backend = chain()[0].backend
    assert isinstance(backend, LocalBackend)

    class Elsewhere:
        weights = backend.weights

    with pytest.raises(ExecutionError, match="without workers"):
        rekey(replace(chain()[0], backend=Elsewhere()))


def secret(number: int) -> Secret:
    return Secret(bytes([number] * 32))
