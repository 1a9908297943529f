"""The epochs of a key that a verifier has accepted: the anchor, and those that certificates lead to."""

from __future__ import annotations

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.key.weights import WeightCommitment
from deepprove_dist.protocol.messages.epoch import EpochWeights


class AcceptedEpochs:
    """Accepted epochs of one key; a certificate is checked once."""

    def __init__(self, key: KeyContent) -> None:
        self.key = key
        self._epochs = set[bytes]() if key.anchor is None else {bytes(key.anchor)}

    def commitment(self, epoch: EpochWeights | None) -> WeightCommitment | None:
        """The weights that a proof of an epoch is about: the key's where it has no epochs.

        Raises VerificationError for an epoch that was not accepted, and where one is missing or too much.
        """
        if (epoch is None) != (self.key.anchor is None):
            state = "has no epochs" if self.key.anchor is None else "has epochs"
            raise VerificationError(Check.EPOCH, f"the key {state}, and the proof says otherwise")
        if epoch is None:
            return self.key.weights
        if bytes(epoch) not in self._epochs:
            message = (
                f"epoch {epoch.number} of the key's weights was not accepted: its certificate is missing"
            )
            raise VerificationError(Check.EPOCH_ACCEPTED, message, actual=epoch.number)
        return WeightCommitment(epoch.root, epoch.answer)
