"""The epochs of a key that a verifier has accepted: the anchor, and those that certificates lead to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import digest
from deepprove_dist.protocol.certificate.shared import max_certificate_bytes
from deepprove_dist.protocol.certificate.verify import verify
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.key.weights import WeightCommitment
from deepprove_dist.protocol.messages import certificate as certificate_file
from deepprove_dist.protocol.messages.epoch import EpochWeights


class CheckedCertificates(Protocol):
    """A set of names of certificates that were checked: `set[bytes]`, or one that outlasts the process."""

    def __contains__(self, name: bytes, /) -> bool:
        """Whether the certificate of this name was checked, and holds."""
        ...

    def add(self, name: bytes, /) -> None:
        """Remembers that the certificate of this name holds."""
        ...


class AcceptedEpochs:
    """Accepted epochs of one key; each certificate is checked once.

    The chain is followed each time: that a certificate was checked says nothing of its old epoch.

    Attributes:
        key: its content.
        last: the epoch that the first certificates lead to; None for a key without epochs.
    """

    def __init__(
        self,
        key: KeyContent,
        certificates: Sequence[bytes] = (),
        checked: CheckedCertificates | None = None,
    ) -> None:
        """Accepts the anchor of the key, and then a chain of certificates. Raises as `accept` does.

        `checked` names certificates that hold; those that are checked here join it. Only this verifier may
        have written to it.
        """
        self.key, self.last = key, key.anchor
        self._epochs = set[bytes]() if key.anchor is None else {bytes(key.anchor)}
        self._accepted = dict[bytes, EpochWeights]()
        self._checked = set[bytes]() if checked is None else checked
        for certificate in certificates:
            self.last = self.accept(certificate)

    def accept(self, certificate: bytes) -> EpochWeights:
        """Accepts the new epoch of a certificate's file, if its old one is accepted, and returns it.

        Raises FormatError for bytes that are no certificate, VerificationError for one that does not hold.
        """
        if self.key.anchor is None:
            raise VerificationError(Check.EPOCH, "the key has no epochs, so that it has no certificates")
        name = digest("deepprove-dist certificate", self.key.digest + certificate)
        if name in self._accepted:
            return self._accepted[name]
        most = max_certificate_bytes(self.key)
        if len(certificate) > most:
            message = f"{len(certificate)} bytes, where a certificate for this key has at most {most}"
            raise VerificationError(Check.EPOCH_LENGTH, message, expected=most, actual=len(certificate))
        parsed = certificate_file.load(certificate)
        if name not in self._checked:
            verify(self.key, parsed)
            self._checked.add(name)
        self._require(parsed.statement.old)
        new = parsed.statement.new
        self._epochs.add(bytes(new))
        self._accepted[name] = new
        return new

    def commitment(self, epoch: EpochWeights | None) -> WeightCommitment | None:
        """The weights that a proof of an epoch is about: the key's where it has no epochs.

        Raises VerificationError for an epoch that was not accepted, and where one is missing or too much.
        """
        if (epoch is None) != (self.key.anchor is None):
            state = "has no epochs" if self.key.anchor is None else "has epochs"
            raise VerificationError(Check.EPOCH, f"the key {state}, and the proof says otherwise")
        if epoch is None:
            return self.key.weights
        self._require(epoch)
        return WeightCommitment(epoch.root, epoch.answer)

    def _require(self, epoch: EpochWeights) -> None:
        if bytes(epoch) not in self._epochs:
            message = f"these weights of epoch {epoch.number} were not accepted: their certificate is missing"
            raise VerificationError(Check.EPOCH_ACCEPTED, message, actual=epoch.number)
