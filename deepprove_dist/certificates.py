"""A certificate as users hold it: it leads a verifier from an epoch of the weights to a later one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from deepprove_dist.file_bytes import FileBytes
from deepprove_dist.formats import FileFormat
from deepprove_dist.protocol.messages import certificate as certificate_file
from deepprove_dist.protocol.messages.certificate import CertificateStatement


@dataclass(frozen=True, repr=False)
class Certificate(FileBytes):
    """A proof that the weights of two epochs are the same, under one key.

    Nothing in it is to be believed before `VerifyingKey.accept` has accepted it.

    Attributes:
        content: the bytes of the certificate's file.
    """

    FORM: ClassVar[FileFormat] = FileFormat.CERTIFICATE

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
