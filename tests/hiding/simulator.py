"""The simulator of docs/zero-knowledge.md: proofs without weights, activations or a witness.

It makes the key's table of weights at random, and a proof from the statement alone. Two messages are planned
before they are known, which a programmed oracle makes possible: the witness's root, and sigma.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepprove_dist import canonical
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import ExtensionVector
from deepprove_dist.protocol.argument.shared import (
    absorb_answer,
    absorb_mask,
    absorb_root,
    combine_claims,
    reduce_claims,
    weights_sample,
)
from deepprove_dist.protocol.claims.public import PublicValues, bind_public
from deepprove_dist.protocol.claims.sent import Pads
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.key.weights import WeightCommitment
from deepprove_dist.protocol.lookup.tree import count_values
from deepprove_dist.protocol.messages.proof import (
    MaskProof,
    ProductsProof,
    ProofContent,
    RelationsProof,
    StatementBytes,
    WitnessProof,
)
from deepprove_dist.protocol.messages.statement import start_transcript
from deepprove_dist.protocol.opening.codes import tree_shapes
from deepprove_dist.protocol.opening.mask import draw_mask
from deepprove_dist.protocol.parameters import FINALS
from deepprove_dist.protocol.products.verify import verify_products
from deepprove_dist.protocol.system.system import Matrix
from tests.hiding.elements import uniform
from tests.hiding.programmed import Programmed, programmed
from tests.hiding.simulated_opening import simulate_opening
from tests.hiding.tables import Table
from tests.hiding.toy import POOL

PLANNED = {"witness/root": 32, "mask/sigma": 20}
"""Bytes of the messages that are planned."""


@dataclass(frozen=True)
class SimulatedKey:
    """A verifying key of the same public numbers, and the uniform table that its root stands for."""

    content: KeyContent
    table: Table

    @classmethod
    def of(cls, content: KeyContent, rng: np.random.Generator) -> SimulatedKey:
        """A uniform answer, and n uniform rows under a root."""
        code = content.schedule.initial
        rows = rng.integers(0, MODULUS, (1 << code.log_length, code.weight_columns))
        table = Table(rows, tree_shapes(code)[0])
        commitment = WeightCommitment(table.root, uniform(rng, 1)[0])
        return cls(replace(content, model_digest=rng.bytes(32), weights=commitment), table)

    def statement(self, like: StatementBytes) -> StatementBytes:
        """The same inputs, outputs and context for this key."""
        return canonical.replace(like, key_digest=self.content.digest, epoch=self.content.anchor)


@dataclass(frozen=True)
class Simulated:
    """A proof, and what the oracle was programmed with, by label."""

    proof: ProofContent
    planned: dict[str, bytes]


def simulate(
    key: SimulatedKey, statement: StatementBytes, public: PublicValues, rng: np.random.Generator
) -> Simulated:
    """A proof of a statement about the simulated key; `public` has the statement's integers."""
    content, code = key.content, key.content.schedule.initial
    instance = content.instance(statement.batch)
    pads, shape = Pads(instance.pads), content.shape.products
    planned = {label: rng.bytes(size) for label, size in PLANNED.items()}
    transcript: Any = Programmed(start_transcript(content.security, statement), planned)
    # The messages that nothing is checked about at once are uniform; claims follow from them.
    relations = RelationsProof(
        uniform(rng, shape.products), uniform(rng, shape.coefficients), uniform(rng, 2 * shape.products)
    )
    levels = instance.leaves.levels
    fractions = uniform(rng, count_values(levels)) if instance.leaves.rows else ExtensionVector([])
    products = ProductsProof(uniform(rng, shape.small_scalars), uniform(rng, FINALS if shape.rows else 0))
    answer, value = uniform(rng, 2)[0], uniform(rng, 1)[0]
    with programmed():
        z = absorb_root(transcript, bytes(32))
        sample = absorb_answer(transcript, z, answer)
        omega = draw_mask(code, transcript)
        claims = bind_public(instance.system, public, transcript, POOL)
        reduced = reduce_claims(instance, relations, fractions, transcript, pads)
        claims += reduced.claims + verify_products(reduced.products, products, transcript, pads)
        claims.insert(0, absorb_mask(transcript, value))
        assert content.weights is not None
        samples = [sample, weights_sample(content, Matrix.WEIGHTS, content.weights)]
        batched = combine_claims(code, instance.layout, claims, samples, omega, transcript).with_pads(
            instance
        )
        terms = batched.combined.terms(instance.layout.cube_blocks)
        assert batched.random_rows is not None
        opened = simulate_opening(
            content.schedule, [key.table], terms, batched.combined.value, batched.random_rows, transcript, rng
        )
    witness, mask = WitnessProof(opened.root, answer), MaskProof(value, opened.sigma, opened.tail)
    proof = ProofContent(statement, witness, relations, fractions, products, mask, opened.opening)
    return Simulated(proof, planned)
