"""The proof: everything that the prover sends, in the order in which it is sent, and its one encoding.

Field elements are canonical (four bytes each, little endian, below p); reading refuses any other bytes.
Counts are checked by the steps that know how many there must be. What a file may make its reader allocate is
bounded here, and by its length.
"""

from __future__ import annotations

from typing import Annotated

from deepprove_dist.canonical import Digest, File, Limit, Record, decode_file, encode
from deepprove_dist.canonical import prepare as prepare_type
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.parameters import MAX_HIDDEN
from deepprove_dist.protocol.system.check import MAX_PUBLIC

FORMAT = "deepprove-dist proof"
VERSION = 6

MAX_CONTEXT = 1 << 16
"""Bytes of the caller's context."""
MAX_ROUNDS = 22
"""WHIR rounds: each leaves one row bit less at least, from 23 down to 1."""
MAX_TREES = 2 + MAX_HIDDEN + MAX_ROUNDS
MAX_CERTIFICATES = 32
"""In a proof: the chain from the anchor to its epoch."""
MAX_CERTIFICATE_BYTES = 1 << 24

Certificates = Annotated[
    tuple[Annotated[bytes, Limit(max_length=MAX_CERTIFICATE_BYTES)], ...], Limit(max_length=MAX_CERTIFICATES)
]
"""The files of certificates, in the order in which they follow from each other."""

PublicBytes = Annotated[tuple[bytes, ...], Limit(max_length=MAX_PUBLIC)]
"""The bytes of each input, or of each output."""


class StatementBytes(Record, frozen=True):
    """What is proven: the key, the number of samples, inputs and outputs in their encoding, and the caller's
    context.

    `epoch` is that of the weights; None where proofs do not hide weights.
    """

    key_digest: Digest
    epoch: EpochWeights | None
    batch: int
    inputs: PublicBytes
    outputs: PublicBytes
    context: Annotated[bytes, Limit(max_length=MAX_CONTEXT)]


class WitnessProof(Record, frozen=True):
    """The commitment to the witness, and its out-of-domain answer."""

    root: Digest
    answer: Extension


class RelationsProof(Record, frozen=True):
    """Claimed sums of all products; round polynomials and final evaluations of their batched sumcheck."""

    sums: ExtensionVector
    rounds: ExtensionVector
    finals: ExtensionVector


class ProductsProof(Record, frozen=True):
    """The sumcheck of products of hidden scalars: round polynomials, and its four finals in clear.

    Both are empty in a transparent proof.
    """

    rounds: ExtensionVector
    finals: ExtensionVector


class MaskProof(Record, frozen=True):
    """What hides the opening: the mask claim's value, <w', s>, and the random rows of the masked vector."""

    value: Extension
    product: Extension
    tail: ExtensionVector


class RoundProof(Record, frozen=True):
    """One WHIR round: commitment to the folded vector, its out-of-domain answer, round polynomials."""

    root: Digest
    answer: Extension
    rounds: ExtensionVector


class Leaves(Record, frozen=True):
    """Opened leaves of a tree, and the nodes that prove them."""

    rows: BaseVector
    nodes: bytes


class OpeningProof(Record, frozen=True):
    """Column rounds; WHIR rounds; the last vector in clear and its rounds; the opened leaves of each tree."""

    columns: ExtensionVector
    rounds: Annotated[tuple[RoundProof, ...], Limit(max_length=MAX_ROUNDS)]
    final: ExtensionVector
    final_rounds: ExtensionVector
    leaves: Annotated[tuple[Leaves, ...], Limit(max_length=MAX_TREES)]


class ProofContent(Record, frozen=True):
    """A statement and its proof; `mask` is None in a transparent one.

    `certificates` may show that the epoch is the key's. No challenge depends on them.
    """

    statement: StatementBytes
    witness: WitnessProof
    relations: RelationsProof
    fractions: ExtensionVector
    products: ProductsProof
    mask: MaskProof | None
    opening: OpeningProof
    certificates: Certificates = ()


class ProofFile(File, frozen=True):
    """What a file holds: a proof, part by part."""

    statement: StatementBytes
    witness: WitnessProof
    relations: RelationsProof
    fractions: ExtensionVector
    products: ProductsProof
    mask: MaskProof | None
    opening: OpeningProof
    certificates: Certificates


def dump(proof: ProofContent) -> bytes:
    """The proof's file; equal proofs give equal bytes."""
    parts = (getattr(proof, name) for name in ProofContent.__struct_fields__)
    return encode(ProofFile(FORMAT, VERSION, *parts))


def prepare() -> None:
    """Derives now how proofs are read, and not when the first one is."""
    prepare_type(ProofFile)


def load(data: bytes) -> ProofContent:
    """The proof in a file. Raises FormatError for anything but the bytes of `dump`."""
    file = decode_file(data, ProofFile, FORMAT, VERSION)
    return ProofContent(*(getattr(file, name) for name in ProofContent.__struct_fields__))
