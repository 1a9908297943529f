"""An attack on each check of epochs: a proof of one that was not accepted, certificates that say too much."""

from __future__ import annotations

from collections.abc import Callable

from deepprove_dist.canonical import replace
from deepprove_dist.checks import Check
from deepprove_dist.protocol.certificate.accepted import AcceptedEpochs
from deepprove_dist.protocol.certificate.shared import max_certificate_bytes
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.certificate import CertificateContent
from deepprove_dist.verifier import verify
from tests.protocol.certificate.epochs import accept, chain, content, hiding_key, make_proof
from tests.protocol.example import proof, proving_key


def name_an_epoch_under_a_key_without_any() -> None:
    """A transparent key's weights have no epochs."""
    parsed = proof_file.load(proof())
    statement = replace(parsed.statement, epoch=hiding_key().epoch)
    verify(proving_key().verifying, proof_file.dump(replace(parsed, statement=statement)))


def prove_in_an_epoch_without_its_certificate() -> None:
    """The proof is honest, and nothing says that the weights are those of the key."""
    verify(hiding_key().verifying, make_proof(chain()[1]))


def fill_a_certificate() -> None:
    """More bytes than any certificate has are not even read."""
    AcceptedEpochs(hiding_key().verifying).accept(bytes(max_certificate_bytes(hiding_key().verifying) + 1))


def bring_the_certificate_of_another_key() -> None:
    """Of the same model, by another set-up."""
    accept(content(), key=hiding_key(2))


def lead_to_the_epoch_before() -> None:
    """A certificate of equal weights, but from a later epoch to an older one."""
    statement = content().statement
    accept(_stating(old=replace(statement.old, number=2)))


def ask_for_more_queries() -> None:
    """Each shows rows of both epochs, which the budget has not set aside."""
    schedule = content().statement.schedule
    initial = replace(schedule.initial, queries=schedule.initial.queries + 1)
    accept(_stating(schedule=replace(schedule, initial=initial)))


def _stating(**changes: object) -> CertificateContent:
    certificate = content()
    return replace(certificate, statement=replace(certificate.statement, **changes))


EPOCH_ATTACKS: dict[Check, Callable[[], None]] = {
    Check.EPOCH: name_an_epoch_under_a_key_without_any,
    Check.EPOCH_ACCEPTED: prove_in_an_epoch_without_its_certificate,
    Check.EPOCH_LENGTH: fill_a_certificate,
    Check.EPOCH_KEY: bring_the_certificate_of_another_key,
    Check.EPOCH_ORDER: lead_to_the_epoch_before,
    Check.EPOCH_SCHEDULE: ask_for_more_queries,
}
