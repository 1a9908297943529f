"""Openings of commitments to hidden inputs and outputs: their integers, and the seed of their random rows.

Whoever has an opening computes the commitment again, and so knows that these are the integers. It is as
secret as they are. Its owner proves further statements about the same commitment with it. Each proof shows
some rows of the committed matrix, and the opening counts them.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.atomic import sync_folder, write_atomically
from deepprove_dist.canonical import Digest, File, decode_file, encode, replace
from deepprove_dist.checks import Check
from deepprove_dist.choices import require_kind, require_path
from deepprove_dist.errors import BudgetError, FormatError, InputError, VerificationError
from deepprove_dist.kernels import BaseVector, Encoder, Pool
from deepprove_dist.protocol.hidden.commit import commit_tensor
from deepprove_dist.protocol.messages.commitment import Commitment
from deepprove_dist.protocol.parameters import UNUSED_TAIL_ROWS
from deepprove_dist.randomness.lock import locked
from deepprove_dist.randomness.owner_file import open_plain_file, require_owner_only

FORMAT = "deepprove-dist opening"
VERSION = 1

_INTEGER, _INTEGER_BYTES = "<i4", 4


class OpeningFile(File, frozen=True):
    """What the file of an opening holds.

    `shape` is that of one sample, `integers` has all samples in row-major order. `rows` is how many rows of
    the matrix proofs have shown at most.
    """

    name: str
    commitment: Commitment
    shape: Shape
    integers: bytes
    seed: Digest
    rows: int

    def __post_init__(self) -> None:
        values = prod(self.commitment.sizes.shape)
        if len(self.integers) != values * _INTEGER_BYTES or values % prod(self.shape):
            raise FormatError("an opening has other integers than its commitment")

    def __repr__(self) -> str:
        return f"OpeningFile({self.name!r}, ...)"


class Opening:
    """The integers in a commitment, and what shows that they are.

    `ProofResult.openings` has those of a proof. `save` keeps one in a file of mode 600, `load` reads it.

    Example:
        >>> Opening.load("proof.x.opening").verify(commitment)
    """

    def __init__(self, content: OpeningFile, path: Path | None = None) -> None:
        """`path` is the file that counts the rows; without it this object does."""
        self._content, self._path = content, path

    @classmethod
    def of(cls, name: str, commitment: Commitment, integers: IntArray, seed: bytes, rows: int) -> Opening:
        """The opening of integers [samples, *shape] whose proofs have shown so many rows."""
        data = integers.astype(_INTEGER).tobytes()
        return cls(OpeningFile(FORMAT, VERSION, name, commitment, integers.shape[1:], data, seed, rows))

    @classmethod
    def of_bytes(cls, content: bytes) -> Opening:
        """The opening in the bytes of a file. Raises FormatError for other bytes."""
        return cls(decode_file(content, OpeningFile, FORMAT, VERSION))

    @classmethod
    def load(cls, path: str | Path) -> Opening:
        """The opening in a file.

        Raises:
            OSError: where the file cannot be read.
            FormatError: for any other file.
            SecretError: where group or others may do anything with it, or it is no plain file.
        """
        path = require_path("Opening.load", path, "the path of an opening")
        return cls(_read(path), path)

    def save(self, path: str | Path) -> None:
        """Writes a file that only its owner can read. It counts rows from now on. Raises OSError."""
        path = require_path("Opening.save", path, "a path for the opening")
        _write(path, self._content)
        self._path = path

    def __bytes__(self) -> bytes:
        """The bytes of its file."""
        return encode(self._content)

    @property
    def name(self) -> str:
        """The input or output that the commitment was made for."""
        return self._content.name

    @property
    def commitment(self) -> Commitment:
        """What is opened."""
        return self._content.commitment

    @property
    def integers(self) -> IntArray:
        """What was committed, int64 [samples, *shape]; to be believed once `verify` has accepted it."""
        import numpy as np

        values = np.frombuffer(self._content.integers, _INTEGER).astype(np.int64)
        return values.reshape(-1, *self._content.shape)

    @property
    def seed(self) -> bytes:
        """What the random rows follow from: 32 bytes."""
        return self._content.seed

    @property
    def rows(self) -> int:
        """Rows of the committed matrix that proofs have shown at most."""
        return self._content.rows

    @property
    def rows_allowed(self) -> int:
        """How many of them proofs may show in all."""
        return self.commitment.sizes.tail - UNUSED_TAIL_ROWS

    def verify(self, commitment: bytes | None = None) -> IntArray:
        """Computes the commitment again, and returns the integers in it, int64 [samples, *shape].

        `commitment` is the digest of the one that is to be opened, 32 bytes.

        Raises:
            VerificationError: where these integers are not in the commitment, or it is another one.
        """
        require_kind("verify", commitment, (bytes, type(None)), "the digest of a commitment, 32 bytes")
        if commitment is not None and commitment != self.commitment.digest:
            message = f"the opening is of another commitment, {self.commitment.digest.hex()}"
            raise VerificationError(Check.OPENED_COMMITMENT, message, subject=self.name)
        vector = BaseVector.from_array(self.integers.reshape(-1))
        computed = commit_tensor(self.commitment.sizes, vector, self.seed, Encoder(), Pool(1)).commitment
        if computed != self.commitment:
            message = "the integers and the seed make another commitment"
            raise VerificationError(Check.OPENED_COMMITMENT, message, subject=self.name)
        return self.integers

    def show(self, rows: int) -> None:
        """Counts the rows of one more proof, on disk before it is made if the opening is in a file.

        Raises:
            BudgetError: where so many rows more would tell something of the integers.
            OSError: where the file cannot be written.
        """
        if self._path is None:
            self._content = self._counted(self._content, rows)
            return
        if not self._path.exists():
            raise InputError(f"{self._path} is gone, which counts the proofs about its commitment")
        with locked(self._path):
            self._content = self._counted(_read(self._path), rows)
            _write(self._path, self._content)

    def _counted(self, content: OpeningFile, rows: int) -> OpeningFile:
        if content.commitment != self.commitment:
            raise InputError(f"{self._path} has become the opening of another commitment")
        total = content.rows + rows
        if total > self.rows_allowed:
            raise BudgetError(
                f"the commitment to '{self.name}' hides it in no further proof. Make another one, or set up "
                "with more proofs about one commitment"
            )
        return replace(content, rows=total)

    def __repr__(self) -> str:
        return f"Opening({self.name!r}, commitment {self.commitment.digest.hex()[:16]}...)"


def _read(path: Path) -> OpeningFile:
    with open_plain_file(path) as file:
        try:
            content = decode_file(file.read(), OpeningFile, FORMAT, VERSION)
        except FormatError as error:
            raise FormatError(f"{path}: {error}") from None
        # Of another file it would be beside the point.
        require_owner_only(path, file)
    return content


def _write(path: Path, content: OpeningFile) -> None:
    """Writes a file of mode 600, whole or not at all; it is on disk, with its name, afterwards."""
    write_atomically(path, encode(content), mode=0o600)
    sync_folder(path.parent)
