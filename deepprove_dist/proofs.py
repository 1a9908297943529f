"""A proof as users hold it: bytes that say what they prove, and that only a verifying key can judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepprove_dist.atomic import write_atomically
from deepprove_dist.canonical import replace
from deepprove_dist.certificates import Certificate
from deepprove_dist.choices import require_kind, require_path
from deepprove_dist.formats import FileFormat, require_format
from deepprove_dist.protocol.messages import proof as proof_file


@dataclass(frozen=True, repr=False)
class Proof:
    """A proof, and the statement that it is about.

    Nothing in it is to be believed before `VerifyingKey.verify` has accepted it.

    Attributes:
        content: the bytes of the proof's file.
    """

    content: bytes

    def __post_init__(self) -> None:
        require_kind("Proof", self.content, bytes, "the bytes of a proof")

    @classmethod
    def load(cls, path: str | Path) -> Proof:
        """Reads a proof's file.

        Raises:
            OSError: where the file cannot be read.
            FormatError: for a file that is no proof.
        """
        path = require_path("Proof.load", path, "the path of a proof")
        require_format(path, FileFormat.PROOF)
        return Proof(path.read_bytes())

    def with_certificates(self, certificates: Sequence[Certificate]) -> Proof:
        """The proof with the chain of certificates to its epoch, so that a verifier needs nothing else.

        `certificates` take the place of those that it has. Raises FormatError for bytes that are no proof.
        """
        proof = replace(proof_file.load(self.content), certificates=tuple(map(bytes, certificates)))
        return Proof(proof_file.dump(proof))

    def save(self, path: str | Path) -> None:
        """Writes the proof to a file, whole or not at all. Raises OSError."""
        write_atomically(require_path("Proof.save", path, "a path for the proof"), self.content)

    def __bytes__(self) -> bytes:
        return self.content

    def __len__(self) -> int:
        return len(self.content)

    def __repr__(self) -> str:
        return f"Proof({len(self):,} bytes)"
