"""The prover's page of the argument; `verify` faces it, step by step.

The heavy steps are those of a `Backend`: this process, or a group of workers. Claims are what `verify` makes
of the messages: the prover runs the same functions on a copy of the transcript.
"""

from __future__ import annotations

from dataclasses import replace

from deepprove_dist.kernels import ExtensionVector, Pool, Transcript
from deepprove_dist.protocol.argument.backend import Backend, CommittedWeights, ProofRun
from deepprove_dist.protocol.argument.shared import (
    BatchedClaims,
    WitnessSample,
    absorb_answer,
    absorb_mask,
    absorb_root,
    combine_claims,
    reduce_claims,
)
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.claims.layout import Layout
from deepprove_dist.protocol.claims.public import PublicValues, bind_public
from deepprove_dist.protocol.claims.sent import Pads
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.key.weights import evaluate_public_weights
from deepprove_dist.protocol.lookup.prove import prove_lookups
from deepprove_dist.protocol.messages.proof import (
    MaskProof,
    ProductsProof,
    ProofContent,
    StatementBytes,
    WitnessProof,
)
from deepprove_dist.protocol.messages.statement import start_transcript
from deepprove_dist.protocol.opening.mask import HiddenRows, draw_mask
from deepprove_dist.protocol.opening.prove import ColumnSample, OpeningClaims, Tree, prove_opening
from deepprove_dist.protocol.products.prove import prove_products
from deepprove_dist.protocol.products.verify import verify_products
from deepprove_dist.protocol.relations.prove import prove_relations
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.timing import timed

NOTHING = ExtensionVector([])


def prove(
    key: KeyContent, statement: StatementBytes, public: PublicValues, witness: Witness, backend: Backend
) -> ProofContent:
    """The proof of a statement; `public` has the integers that `statement` encodes.

    Raises VerificationError for a batch that the key does not allow, and what the backend raises.
    """
    instance, pool = key.instance(statement.batch), backend.pool
    system, code, run = instance.system, key.schedule.initial, backend.begin(instance, witness)
    pads, sent = Pads(instance.pads, witness.pads), Pads(instance.pads)
    transcript = start_transcript(key.security, statement)
    tree, sample = _commit(run, witness, instance.layout, transcript, pool)
    omega = draw_mask(code, transcript)
    claims = bind_public(system, public, transcript, pool)
    received = transcript.copy()
    relations = prove_relations(system, run, transcript, pads, pool)
    fractions = prove_lookups(instance.leaves, run, transcript, pads)
    reduced = reduce_claims(instance, relations, fractions, received, sent)
    claims += reduced.claims
    products, value = ProductsProof(NOTHING, NOTHING), None
    if code.hiding:
        received = transcript.copy()
        products = prove_products(reduced.products, witness.pads, transcript, pads, pool)
        claims += verify_products(reduced.products, products, received, sent)
    trees = [tree]
    if backend.weights is None:
        claims = evaluate_public_weights(system, claims, backend.vectors, pool)
    else:
        trees.insert(0, backend.weights.tree)
    if code.hiding:
        value = witness.mask_value(omega)
        claims.insert(0, absorb_mask(transcript, value))
    batched = combine_claims(key, instance, claims, sample, omega, transcript)
    opened = _know_columns(batched, instance.layout, backend.weights, witness, pool)
    opening, masked = prove_opening(key.schedule, trees, run, opened, transcript)
    mask = None
    if value is not None and masked is not None:
        mask = MaskProof(value, masked.product, masked.tail)
    committed = WitnessProof(tree.root, sample.answer)
    return ProofContent(statement, committed, relations, fractions, products, mask, opening)


def _commit(
    run: ProofRun, witness: Witness, layout: Layout, transcript: Transcript, pool: Pool
) -> tuple[Tree, WitnessSample]:
    """Commits the witness and answers its out-of-domain sample."""
    with timed("commitment", "proving"):
        tree = run.commit()
    z = absorb_root(transcript, tree.root)
    return tree, absorb_answer(transcript, z, witness.evaluate(layout, z, pool))


@timed("combination of claims", "proving")
def _know_columns(
    batched: BatchedClaims, layout: Layout, weights: CommittedWeights | None, witness: Witness, pool: Pool
) -> OpeningClaims:
    """The claims to open: the weights' sample, the last of them, is given by its columns' values."""
    combined, hidden = batched.combined, None
    if batched.random_rows is not None:
        hidden = HiddenRows(batched.random_rows, witness.random_rows)
    if weights is None:
        return OpeningClaims(combined, hidden=hidden)
    *others, sample = combined.claims
    scale = combined.scales[len(others)]
    values = weights.column_values + witness.matrix.column_values(1 << layout.log_rows, weights.z, pool)
    known = ColumnSample(
        weights.z, scale, layout.addresses_of(Matrix.WEIGHTS), values.take(list(layout.order))
    )
    return OpeningClaims(replace(combined, claims=(*others, replace(sample, terms=()))), (known,), hidden)
