"""A verifier accepts an epoch by a chain of certificates from the key's, and each certificate once."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import FormatError, VerificationError
from deepprove_dist.protocol.certificate.accepted import AcceptedEpochs
from deepprove_dist.protocol.certificate.shared import max_certificate_bytes
from deepprove_dist.protocol.certificate.verify import verify as verify_certificate
from deepprove_dist.protocol.key.weights import WeightCommitment
from deepprove_dist.protocol.messages import certificate as certificate_file
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.parameters import CERTIFICATES
from deepprove_dist.verifier import verify
from tests.protocol.certificate.epochs import EPOCHS, certificate, chain, content, hiding_key, make_proof
from tests.protocol.example import proof, proving_key
from tests.records import replace

KEY = hiding_key().verifying


def test_the_anchor_is_accepted_from_the_first() -> None:
    epochs = AcceptedEpochs(KEY)
    assert KEY.anchor is not None
    assert epochs.last == KEY.anchor
    assert epochs.commitment(KEY.anchor) == KEY.weights
    verify(KEY, make_proof(chain()[0]))


def test_a_certificate_leads_to_its_epoch() -> None:
    prover, epochs = chain()[1], AcceptedEpochs(KEY)
    epoch = epochs.accept(certificate(1))
    assert epoch == prover.epoch
    assert epochs.commitment(epoch) == WeightCommitment(epoch.root, epoch.answer)
    verify(KEY, make_proof(prover), epochs=epochs)
    verify(KEY, make_proof(chain()[0]), epochs=epochs)


@pytest.mark.parametrize("epoch", range(1, EPOCHS + 1))
def test_every_epoch_has_its_chain(epoch: int) -> None:
    prover = chain()[epoch]
    assert len(prover.certificates) == (1 if epoch < CERTIFICATES else 2)
    epochs = AcceptedEpochs(KEY, prover.certificates)
    assert epochs.last == prover.epoch
    verify(KEY, make_proof(prover), epochs=epochs)


def test_a_proof_carries_what_a_verifier_needs() -> None:
    for prover in (chain()[1], chain()[-1]):
        carrying = make_proof(prover, carry=True)
        verify(KEY, carrying)
        assert len(carrying) > len(make_proof(prover)) + sum(map(len, prover.certificates))


def test_a_proof_of_an_epoch_that_was_not_accepted_is_refused() -> None:
    with pytest.raises(VerificationError) as caught:
        verify(KEY, make_proof(chain()[1]), epochs=AcceptedEpochs(KEY, [certificate(2)]))
    assert caught.value.check is Check.EPOCH_ACCEPTED
    assert caught.value.actual == 1


def test_a_certificate_whose_old_epoch_was_not_accepted_is_refused() -> None:
    last = chain()[-1]
    with pytest.raises(VerificationError, match="epoch 7 were not accepted"):
        AcceptedEpochs(KEY).accept(last.certificates[-1])
    with pytest.raises(VerificationError, match="epoch 7 were not accepted"):
        AcceptedEpochs(KEY, last.certificates[::-1])


def test_a_certificate_is_checked_once() -> None:
    epochs = AcceptedEpochs(KEY)
    with patch("deepprove_dist.protocol.certificate.accepted.verify", wraps=verify_certificate) as checked:
        for _ in range(3):
            epochs.accept(certificate(1))
            verify(KEY, make_proof(chain()[1], carry=True), epochs=epochs)
    assert checked.call_count == 1


def test_a_certificate_that_was_checked_before_is_not_checked_again() -> None:
    checked = set[bytes]()
    AcceptedEpochs(KEY, [certificate(1)], checked)
    assert len(checked) == 1
    with patch("deepprove_dist.protocol.certificate.accepted.verify", side_effect=AssertionError):
        epochs = AcceptedEpochs(KEY, [certificate(1)], checked)
        assert epochs.last == chain()[1].epoch
        # Its old epoch is still to be accepted, and any other certificate to be checked.
        with pytest.raises(AssertionError):
            epochs.accept(certificate(2))
        with pytest.raises(AssertionError):
            AcceptedEpochs(hiding_key(secret=2).verifying, [certificate(1)], checked)


def test_what_was_checked_says_nothing_of_the_old_epoch() -> None:
    last, checked = chain()[-1], set[bytes]()
    AcceptedEpochs(KEY, last.certificates, checked)
    with pytest.raises(VerificationError, match="epoch 7 were not accepted"):
        AcceptedEpochs(KEY, checked=checked).accept(last.certificates[-1])


def test_a_certificate_that_does_not_hold_is_not_remembered() -> None:
    checked, parsed = set[bytes](), content(1)
    statement = replace(parsed.statement, new=replace(parsed.statement.new, root=bytes(32)))
    with pytest.raises(VerificationError):
        AcceptedEpochs(KEY, [certificate_file.dump(replace(parsed, statement=statement))], checked)
    assert not checked


def test_a_certificate_that_was_refused_is_checked_again() -> None:
    epochs, other = AcceptedEpochs(KEY), certificate(1)[:-1]
    for _ in range(2):
        with pytest.raises(FormatError):
            epochs.accept(other)
    epochs.accept(certificate(1))


@pytest.mark.parametrize(
    "change",
    [
        lambda epoch: replace(epoch, number=2),
        lambda epoch: replace(epoch, root=bytes(32)),
        lambda epoch: replace(epoch, answer=epoch.answer + 1),
    ],
)
def test_an_accepted_epoch_is_accepted_as_a_whole(change: Callable[[EpochWeights], EpochWeights]) -> None:
    epochs = AcceptedEpochs(KEY, [certificate(1)])
    with pytest.raises(VerificationError, match="were not accepted"):
        epochs.commitment(change(content(1).statement.new))


def test_keys_without_epochs_accept_none() -> None:
    for key in (proving_key(), proving_key("public")):
        epochs = AcceptedEpochs(key.verifying)
        assert epochs.last is None
        assert epochs.commitment(None) == key.verifying.weights
        assert max_certificate_bytes(key.verifying) == 0
        with pytest.raises(VerificationError, match="no epochs"):
            epochs.accept(certificate(1))
        with pytest.raises(VerificationError, match="has no epochs"):
            epochs.commitment(KEY.anchor)
    verify(proving_key().verifying, proof())
    with pytest.raises(VerificationError, match="has epochs"):
        AcceptedEpochs(KEY).commitment(None)


def test_a_certificate_is_no_longer_than_the_bound() -> None:
    most = max_certificate_bytes(KEY)
    assert all(len(certificate(epoch)) <= most for epoch in range(1, EPOCHS + 1))
    with pytest.raises(VerificationError) as caught:
        AcceptedEpochs(KEY).accept(bytes(most + 1))
    assert caught.value.check is Check.EPOCH_LENGTH
