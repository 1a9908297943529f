"""What kind of file a file is: every file of this package begins with its format."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from deepprove_dist import openings
from deepprove_dist.errors import FormatError
from deepprove_dist.model import format as integer_model
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.messages import certificate, proof

_BEGIN = 64
"""Bytes within which a file names its format, the first value of its map."""


class FileFormat(str, Enum):
    """The formats, by what a file says."""

    INTEGER_MODEL = integer_model.FORMAT
    VERIFYING_KEY = key_file.FORMAT
    PROOF = proof.FORMAT
    CERTIFICATE = certificate.FORMAT
    OPENING = openings.FORMAT

    @property
    def kind(self) -> str:
        """The format in words, without the package's name."""
        return self.value.removeprefix("deepprove-dist ")

    @property
    def words(self) -> str:
        """The kind with its article."""
        return f"{'an' if self.kind[0] in 'io' else 'a'} {self.kind}"


def read_format(path: Path) -> FileFormat | None:
    """The format that a file begins with; None for a file that is not of this package. Raises OSError."""
    with path.open("rb") as file:
        begin = file.read(_BEGIN)
    return next((form for form in FileFormat if form.value.encode() in begin), None)


def require_format(path: Path, form: FileFormat) -> None:
    """Requires a file to be of a format.

    Raises:
        OSError: where the file cannot be read.
        FormatError: naming the file, and what it is instead.
    """
    given = read_format(path)
    if given is not form:
        what = "no file of this package" if given is None else given.words
        raise FormatError(f"{path} is {what}; expected {form.words}")
