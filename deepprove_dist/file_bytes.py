"""The bytes of a file of this package as users hold them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from deepprove_dist.atomic import write_atomically
from deepprove_dist.choices import require_kind, require_path
from deepprove_dist.formats import FileFormat, require_format

SomeFile = TypeVar("SomeFile", bound="FileBytes")


@dataclass(frozen=True, repr=False)
class FileBytes:
    """What a file holds, read and written as a whole; a subclass names its form.

    Attributes:
        content: the bytes of the file.
    """

    FORM: ClassVar[FileFormat]

    content: bytes

    def __post_init__(self) -> None:
        require_kind(type(self).__name__, self.content, bytes, f"the bytes of {self.FORM.words}")

    @classmethod
    def load(cls: type[SomeFile], path: str | Path) -> SomeFile:
        """Reads a file of this form.

        Raises:
            OSError: where the file cannot be read.
            FormatError: for a file of another form.
        """
        path = require_path(f"{cls.__name__}.load", path, f"the path of {cls.FORM.words}")
        require_format(path, cls.FORM)
        return cls(path.read_bytes())

    def save(self, path: str | Path) -> None:
        """Writes the file, whole or not at all. Raises OSError."""
        target = require_path(f"{type(self).__name__}.save", path, f"a path for the {self.FORM.kind}")
        write_atomically(target, self.content)

    def __bytes__(self) -> bytes:
        return self.content

    def __len__(self) -> int:
        return len(self.content)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self):,} bytes)"
