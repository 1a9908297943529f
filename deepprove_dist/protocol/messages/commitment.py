"""The commitment to a hidden input or output: a Merkle root and an answer out of its code's domain.

The tensor is a matrix of its own, encoded by the code of all matrices of a proof. The last `tail` rows of
its columns are random: they hide it in as many proofs as its key says. z = H(sizes, root) fixes one point out
of the domain; the answer is sum_a M[a] z^a over all addresses. A root may stand for a list of matrices, and
the answer leaves one of them, before any proof is made.

Whoever has the integers and the seed of the random rows computes root and answer again (`commit_tensor`).
"""

from __future__ import annotations

from math import prod

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import DIGEST_BYTES, Digest, Record, encode
from deepprove_dist.errors import FormatError
from deepprove_dist.field import EXTENSION_DEGREE
from deepprove_dist.kernels import Extension, Transcript, digest
from deepprove_dist.protocol.parameters import InitialCode, MatrixCode, check_code, check_range

MAX_VALUES = 1 << 30
"""Of a commitment's codeword, so that opening one takes no more memory than a machine has."""

STATEMENT_BYTES = DIGEST_BYTES + 4 * EXTENSION_DEGREE
"""Of a commitment in a statement: root, then answer."""


class CommitmentSizes(Record, frozen=True):
    """All that a commitment depends on beside integers and randomness.

    Keys with the same sizes can have statements about one commitment. `shape` is (samples, *axes), where axes
    are those of one sample.
    """

    log_rows: int
    log_inverse_rate: int
    columns: int
    log_group: int
    tail: int
    shape: Shape

    def __post_init__(self) -> None:
        """Raises SecurityError for numbers out of range, and for a tensor that the columns do not hold."""
        check_code(self.log_rows, self.log_inverse_rate, 1)
        log_length, rows = self.log_rows + self.log_inverse_rate, 1 << self.log_rows
        check_range("columns of a commitment", self.columns, 1, MAX_VALUES >> log_length)
        check_range("log_group of a commitment", self.log_group, 0, log_length)
        check_range("tail of a commitment", self.tail, 0, rows - 1)
        values = self.columns * (rows - self.tail)
        check_range("values of a commitment", prod(self.shape), 1, values)
        check_range("least axis of a commitment", min(self.shape), 1, values)

    @classmethod
    def of(cls, code: InitialCode, matrix: MatrixCode, shape: Shape) -> CommitmentSizes:
        """The sizes in a key's code, for a tensor of `shape`."""
        group, tail = matrix.log_group, matrix.tail
        return cls(code.log_rows, code.log_inverse_rate, matrix.columns, group, tail, shape)


class Commitment(Record, frozen=True):
    """Sizes, Merkle root and answer: together they determine the integers, and tell nothing about them."""

    sizes: CommitmentSizes
    root: Digest
    answer: Extension

    @property
    def point(self) -> Extension:
        """z, where the answer is the matrix's value."""
        return commitment_point(self.sizes, self.root)

    @property
    def digest(self) -> bytes:
        """32 bytes that stand for the commitment."""
        return digest("deepprove-dist commitment", encode(self.sizes) + self.statement_bytes)

    @property
    def statement_bytes(self) -> bytes:
        """What a statement has in the place of integers: 52 bytes."""
        return self.root + bytes(self.answer)

    @classmethod
    def of_statement(cls, sizes: CommitmentSizes, data: bytes) -> Commitment:
        """The commitment in a statement. Raises FormatError for anything but 52 of its bytes."""
        try:
            return cls(sizes, data[:DIGEST_BYTES], Extension.from_bytes(data[DIGEST_BYTES:]))
        except ValueError as error:
            message = f"a commitment is a root and an answer, {STATEMENT_BYTES} bytes: {error}"
            raise FormatError(message) from error


def commitment_point(sizes: CommitmentSizes, root: bytes) -> Extension:
    """The out-of-domain point of a root, which no committer can choose."""
    transcript = Transcript(b"deepprove-dist commitment")
    transcript.absorb("sizes", encode(sizes))
    transcript.absorb("root", root)
    return transcript.challenge("out-of-domain")
