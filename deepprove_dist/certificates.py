"""A certificate as users hold it: it leads a verifier from an epoch of the weights to a later one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deepprove_dist.atomic import write_atomically
from deepprove_dist.choices import require_kind, require_path
from deepprove_dist.formats import FileFormat, require_format
from deepprove_dist.protocol.messages import certificate as certificate_file
from deepprove_dist.protocol.messages.certificate import CertificateStatement


@dataclass(frozen=True, repr=False)
class Certificate:
    """A proof that the weights of two epochs are the same, under one key.

    Nothing in it is to be believed before `VerifyingKey.accept` has accepted it.

    Attributes:
        content: the bytes of the certificate's file.
    """

    content: bytes

    def __post_init__(self) -> None:
        require_kind("Certificate", self.content, bytes, "the bytes of a certificate")

    @classmethod
    def load(cls, path: str | Path) -> Certificate:
        """Reads a certificate's file.

        Raises:
            OSError: where the file cannot be read.
            FormatError: for a file that is no certificate.
        """
        path = require_path("Certificate.load", path, "the path of a certificate")
        require_format(path, FileFormat.CERTIFICATE)
        return Certificate(path.read_bytes())

    def save(self, path: str | Path) -> None:
        """Writes the certificate to a file, whole or not at all. Raises OSError."""
        write_atomically(require_path("Certificate.save", path, "a path for the certificate"), self.content)

    @property
    def old_epoch(self) -> int:
        """The number of the epoch that has to be accepted before. Raises FormatError."""
        return self._statement.old.number

    @property
    def new_epoch(self) -> int:
        """The number of the epoch that is accepted by it. Raises FormatError."""
        return self._statement.new.number

    @cached_property
    def _statement(self) -> CertificateStatement:
        return certificate_file.load(self.content).statement

    def __bytes__(self) -> bytes:
        return self.content

    def __len__(self) -> int:
        return len(self.content)

    def __repr__(self) -> str:
        return f"Certificate({len(self):,} bytes)"
