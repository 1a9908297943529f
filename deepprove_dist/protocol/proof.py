"""The proof: everything that the prover sends, in the order in which it is sent, and its one encoding.

Field elements are canonical (four bytes each, little endian, below p); reading refuses any other bytes.
Counts are checked by the steps that know how many there must be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deepprove_dist.canonical import each, fields, pack, record, require_canonical, typed, unpack
from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector
from deepprove_dist.protocol.relations.check import MAX_PUBLIC

FORMAT = "deepprove-dist proof"
VERSION = 3
DIGEST_BYTES = 32

MAX_CONTEXT = 1 << 16
"""Bytes of the caller's context."""
MAX_ROUNDS = 22
"""WHIR rounds: each leaves one row bit less at least, from 23 down to 1."""
MAX_TREES = 2 + MAX_ROUNDS


@dataclass(frozen=True)
class StatementBytes:
    """What is proven: the key, the number of samples, inputs and outputs as `statement` encodes them, and the
    caller's context.
    """

    key_digest: bytes
    batch: int
    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]
    context: bytes


@dataclass(frozen=True)
class RelationsProof:
    """Claimed sums of all products; round polynomials and final evaluations of their batched sumcheck."""

    sums: ExtensionVector
    rounds: ExtensionVector
    finals: ExtensionVector


@dataclass(frozen=True)
class RoundProof:
    """One WHIR round: commitment to the folded vector, its out-of-domain answer, round polynomials."""

    root: bytes
    answer: Extension
    rounds: ExtensionVector


@dataclass(frozen=True)
class Leaves:
    """Opened leaves of a tree, and the nodes that prove them."""

    rows: BaseVector
    nodes: bytes


@dataclass(frozen=True)
class OpeningProof:
    """Column rounds; WHIR rounds; the last vector in clear and its rounds; the opened leaves of each tree."""

    columns: ExtensionVector
    rounds: tuple[RoundProof, ...]
    final: ExtensionVector
    final_rounds: ExtensionVector
    leaves: tuple[Leaves, ...]


@dataclass(frozen=True)
class Proof:
    """A statement and its proof."""

    statement: StatementBytes
    witness_root: bytes
    witness_answer: Extension
    relations: RelationsProof
    fractions: ExtensionVector
    opening: OpeningProof


def dump(proof: Proof) -> bytes:
    """The proof's file; equal proofs give equal bytes."""
    statement, opening = proof.statement, proof.opening
    return pack(
        {
            "format": FORMAT,
            "version": VERSION,
            "statement": [
                statement.key_digest,
                statement.batch,
                list(statement.inputs),
                list(statement.outputs),
                statement.context,
            ],
            "witness": [proof.witness_root, bytes(proof.witness_answer)],
            "relations": [bytes(v) for v in vars(proof.relations).values()],
            "fractions": bytes(proof.fractions),
            "opening": [
                bytes(opening.columns),
                [[item.root, bytes(item.answer), bytes(item.rounds)] for item in opening.rounds],
                bytes(opening.final),
                bytes(opening.final_rounds),
                [[bytes(item.rows), item.nodes] for item in opening.leaves],
            ],
        }
    )


def load(data: bytes) -> Proof:
    """The proof in a file. Raises FormatError for anything but the bytes of `dump`."""
    content = unpack(data, FORMAT, VERSION)
    types = {
        "format": str,
        "version": int,
        "statement": list,
        "witness": list,
        "relations": list,
        "fractions": bytes,
        "opening": list,
    }
    _, _, statement, witness, relations, fractions, opening = record(content, types)
    try:
        root, answer = fields(witness, (bytes, bytes))
        proof = Proof(
            _read_statement(statement),
            _digest(root),
            Extension.from_bytes(answer),
            RelationsProof(*map(ExtensionVector.from_bytes, fields(relations, (bytes, bytes, bytes)))),
            ExtensionVector.from_bytes(fractions),
            _read_opening(opening),
        )
    except ValueError as error:
        raise FormatError(f"the proof is not canonical: {error}") from error
    require_canonical(data, dump(proof))
    return proof


def _read_statement(item: object) -> StatementBytes:
    digest, batch, inputs, outputs, context = fields(item, (bytes, int, list, list, bytes))
    if len(context) > MAX_CONTEXT:
        raise FormatError(f"a context has at most {MAX_CONTEXT} bytes, not {len(context)}")
    return StatementBytes(_digest(digest), batch, _byte_strings(inputs), _byte_strings(outputs), context)


def _read_opening(item: object) -> OpeningProof:
    columns, rounds, final, final_rounds, leaves = fields(item, (bytes, list, bytes, bytes, list))
    if len(rounds) > MAX_ROUNDS or len(leaves) > MAX_TREES:
        raise FormatError(f"a proof has at most {MAX_ROUNDS} rounds and {MAX_TREES} trees in its opening")
    return OpeningProof(
        ExtensionVector.from_bytes(columns),
        each(rounds, _read_round),
        ExtensionVector.from_bytes(final),
        ExtensionVector.from_bytes(final_rounds),
        each(leaves, _read_leaves),
    )


def _read_round(item: object) -> RoundProof:
    root, answer, rounds = fields(item, (bytes, bytes, bytes))
    return RoundProof(_digest(root), Extension.from_bytes(answer), ExtensionVector.from_bytes(rounds))


def _read_leaves(item: object) -> Leaves:
    rows, nodes = fields(item, (bytes, bytes))
    return Leaves(BaseVector.from_bytes(rows), nodes)


def _byte_strings(items: list[Any]) -> tuple[bytes, ...]:
    if len(items) > MAX_PUBLIC:
        raise FormatError(f"a proof has at most {MAX_PUBLIC} inputs and as many outputs")
    return each(items, lambda value: typed(value, bytes))


def _digest(value: bytes) -> bytes:
    if len(value) != DIGEST_BYTES:
        raise FormatError(f"a digest has {DIGEST_BYTES} bytes, not {len(value)}")
    return value
