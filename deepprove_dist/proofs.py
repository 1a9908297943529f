"""A proof as users hold it: bytes that say what they prove, and that only a verifying key can judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepprove_dist.atomic import write_atomically
from deepprove_dist.choices import require_kind, require_path
from deepprove_dist.formats import FileFormat, require_format


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

    def save(self, path: str | Path) -> None:
        """Writes the proof to a file, whole or not at all. Raises OSError."""
        write_atomically(require_path("Proof.save", path, "a path for the proof"), self.content)

    def __bytes__(self) -> bytes:
        return self.content

    def __len__(self) -> int:
        return len(self.content)

    def __repr__(self) -> str:
        return f"Proof({len(self):,} bytes)"
