"""What a verifier sees of a hiding proof, part by part, as base field values."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import EXTENSION_DEGREE
from deepprove_dist.kernels import Extension
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.messages.proof import ProofContent
from tests.attacks.plain_merkle import DIGEST
from tests.hiding.elements import base, coordinates
from tests.hiding.programmed import FROZEN, programmed
from tests.hiding.toy import Toy

View = dict[str, IntArray]
"""Base values by the part that they are in, each one axis."""

INDEPENDENT = (
    "witness/answer",
    "contraction/sums",
    "relations/rounds",
    "sumcheck/finals",
    "fractions",
    "products/rounds",
    "products/finals",
    "mask/value",
    "opening/columns",
    "opening/tail",
    "opening/final",
    "witness leaves",
)
"""Parts that are uniform all together, where the initial code alone is committed: the others follow."""


def view(content: KeyContent, proof: ProofContent) -> View:
    """Everything of a proof that is a field element, but codes of folded vectors."""
    code, opening = content.schedule.initial, proof.opening
    weights, *hidden, witness = (base(leaves.rows) for leaves in opening.leaves[: len(code.matrices)])
    rows = witness.reshape(-1, code.witness_columns + code.mask_columns)
    parts = {
        "witness/answer": coordinates(proof.witness.answer),
        "contraction/sums": coordinates(proof.relations.sums),
        "relations/rounds": coordinates(proof.relations.rounds),
        "sumcheck/finals": coordinates(proof.relations.finals),
        "fractions": coordinates(proof.fractions),
        "products/rounds": coordinates(proof.products.rounds),
        "products/finals": coordinates(proof.products.finals),
        "opening/columns": coordinates(opening.columns),
        "opening/final": coordinates(opening.final),
        "weight leaves": weights,
        "witness leaves": rows[:, : code.witness_columns],
        "mask leaves": rows[:, code.witness_columns :],
    }
    if hidden:
        commitments = (*proof.statement.inputs, *proof.statement.outputs)
        answers = [Extension.from_bytes(item[DIGEST:]) for item in commitments]
        parts["hidden answers"] = np.concatenate([coordinates(answer) for answer in answers])
        parts["hidden leaves"] = np.concatenate(hidden)
    if proof.mask is not None:
        parts["mask/value"] = coordinates(proof.mask.value)
        parts["mask/sigma"] = coordinates(proof.mask.product)
        parts["opening/tail"] = coordinates(proof.mask.tail)
    for number, item in enumerate(opening.rounds):
        parts[f"round {number}"] = np.concatenate([coordinates(item.answer), coordinates(item.rounds)])
    return {name: part.reshape(-1) for name, part in parts.items()}


def views_of(toy: Toy, numbers: Iterable[int]) -> list[View]:
    """Of one statement, with challenges that depend on messages as little as can be.

    Positions of queries, omega, epsilon, and the points of inputs and relations are those of all proofs.
    """
    with programmed(frozen=FROZEN):
        return [view(toy.key.verifying, toy.prove(number)) for number in numbers]


def scalars(content: KeyContent, proof: ProofContent) -> set[bytes]:
    """The elements of all messages, rows of the witness's leaves, roots and nodes; nothing of weights."""
    parts = view(content, proof)
    code = content.schedule.initial
    del parts["weight leaves"]
    rows = base(proof.opening.leaves[1].rows).reshape(-1, code.witness_columns + code.mask_columns)
    leaves = {row.tobytes() for row in rows}
    for name in ("witness leaves", "mask leaves"):
        del parts[name]
    elements = {row.tobytes() for part in parts.values() for row in part.reshape(-1, EXTENSION_DEGREE)}
    digests = {proof.witness.root, *(item.root for item in proof.opening.rounds)}
    for item in proof.opening.leaves[1:]:
        digests |= {item.nodes[start : start + DIGEST] for start in range(0, len(item.nodes), DIGEST)}
    return elements | leaves | digests


def stacked(views: Iterable[View]) -> View:
    """Each part of all views, [views, values]."""
    views = list(views)
    return {name: np.stack([item[name] for item in views]) for name in views[0]}
