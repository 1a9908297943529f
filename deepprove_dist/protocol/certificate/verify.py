"""The verifier's page of a certificate; `prove` faces it, step by step."""

from __future__ import annotations

from deepprove_dist.checks import Check
from deepprove_dist.errors import SecurityError, VerificationError
from deepprove_dist.protocol.argument.shared import (
    absorb_answer,
    absorb_mask,
    absorb_root,
    combine_claims,
)
from deepprove_dist.protocol.certificate.shared import CertifiedWeights, weights_samples
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.messages.certificate import (
    CertificateContent,
    CertificateStatement,
    start_transcript,
)
from deepprove_dist.protocol.opening.mask import MaskedOpening, draw_mask
from deepprove_dist.protocol.opening.verify import OpeningMask, verify_opening_proof
from deepprove_dist.protocol.parameters import require_certificate
from deepprove_dist.timing import timed


@timed("certificate", "verifying")
def verify(key: KeyContent, certificate: CertificateContent) -> None:
    """Checks that the weights of the certificate's new epoch are those of its old one, for a key with epochs.

    Whether the old epoch is the key's is the caller's to check. Raises VerificationError.
    """
    statement, certified = certificate.statement, CertifiedWeights.of(key)
    _check(key, statement, certified)
    code, mask = statement.schedule.initial, certificate.mask
    layout, transcript = certified.lay_out(code), start_transcript(statement)
    z = absorb_root(transcript, certificate.witness.root)
    sample = absorb_answer(transcript, z, certificate.witness.answer)
    omega = draw_mask(code, transcript)
    claims = certified.claims(transcript)
    claims.insert(0, absorb_mask(transcript, mask.value))
    samples = [sample, *weights_samples(key, statement)]
    batched = combine_claims(code, layout, claims, samples, omega, transcript)
    assert batched.random_rows is not None, "a certificate's schedule hides the weights"
    hidden = OpeningMask(batched.random_rows, MaskedOpening(mask.product, mask.tail))
    roots = [statement.old.root, statement.new.root, certificate.witness.root]
    terms, value = batched.combined.terms(layout.cube_blocks), batched.combined.value
    verify_opening_proof(statement.schedule, roots, terms, value, certificate.opening, hidden, transcript)


def _check(key: KeyContent, statement: CertificateStatement, certified: CertifiedWeights) -> None:
    """What the statement says, before anything is computed with it."""
    if statement.key_digest != key.digest:
        raise VerificationError(Check.EPOCH_KEY, "the certificate is for another key")
    old, new = statement.old.number, statement.new.number
    if new <= old:
        message = f"epoch {new} does not come after epoch {old}"
        raise VerificationError(Check.EPOCH_ORDER, message, expected=old + 1, actual=new)
    try:
        require_certificate(key.schedule, statement.schedule, certified.shape)
    except SecurityError as error:
        raise VerificationError(Check.EPOCH_SCHEDULE, str(error)) from error
