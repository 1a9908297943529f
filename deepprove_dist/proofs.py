"""A proof as users hold it: bytes that say what they prove, and that only a verifying key can judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from deepprove_dist.canonical import replace
from deepprove_dist.certificates import Certificate
from deepprove_dist.file_bytes import FileBytes
from deepprove_dist.formats import FileFormat
from deepprove_dist.protocol.messages import proof as proof_file


@dataclass(frozen=True, repr=False)
class Proof(FileBytes):
    """A proof, and the statement that it is about.

    Nothing in it is to be believed before `VerifyingKey.verify` has accepted it.

    Attributes:
        content: the bytes of the proof's file.
    """

    FORM: ClassVar[FileFormat] = FileFormat.PROOF

    def with_certificates(self, certificates: Sequence[Certificate]) -> Proof:
        """The proof with the chain of certificates to its epoch, so that a verifier needs nothing else.

        `certificates` take the place of those that it has. Raises FormatError for bytes that are no proof.
        """
        proof = replace(proof_file.load(self.content), certificates=tuple(map(bytes, certificates)))
        return Proof(proof_file.dump(proof))
