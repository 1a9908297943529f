"""The prover's page of the argument; `verify` faces it, step by step.

The heavy steps are those of a `Backend`: this process, or a group of workers. Claims are what `verify` makes
of the messages: the prover runs the same functions on a copy of the transcript.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from deepprove_dist.kernels import Extension, ExtensionVector, Pool, Transcript
from deepprove_dist.protocol.argument.backend import Backend
from deepprove_dist.protocol.argument.shared import (
    BatchedClaims,
    Sample,
    absorb_answer,
    absorb_mask,
    absorb_root,
    combine_claims,
    hidden_samples,
    reduce_claims,
    weights_sample,
)
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.claims.claim import NO_TERMS, Claim
from deepprove_dist.protocol.claims.layout import Layout, MatrixColumns
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
    instance, pool = key.instance(statement.batch).stating(public), backend.pool
    system, code, run = instance.system, key.schedule.initial, backend.begin(instance, witness)
    pads, sent = Pads(instance.pads, witness.pads), Pads(instance.pads)
    transcript = start_transcript(key.security, statement)
    tree, sample = commit_witness(run.commit, run.column_values, witness, transcript, pool)
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
    trees: list[Tree] = [*(hidden.tree for hidden in witness.hidden), tree]
    samples, known = [sample, *hidden_samples(instance.layout, public.commitments)], list[KnownColumns]()
    weights = backend.weights
    if weights is None:
        claims = evaluate_public_weights(system, claims, backend.vectors, pool)
    else:
        trees.insert(0, weights.tree)
        samples.append(weights_sample(key, Matrix.WEIGHTS, weights.commitment(key.schedule)))
        rows, values = 1 << code.log_rows, weights.column_values
        for hidden in witness.hidden:
            values += hidden.matrix.column_values(rows, weights.z, pool)
        values += run.column_values(weights.z)
        known.append(KnownColumns(Matrix.WEIGHTS, weights.z, values))
    if code.hiding:
        value = witness.mask_value(omega)
        claims.insert(0, absorb_mask(transcript, value))
    batched = combine_claims(code, instance.layout, claims, samples, omega, transcript).with_pads(instance)
    opened = open_claims(batched, instance.layout, known, witness)
    opening, masked = prove_opening(key.schedule, trees, run, opened, transcript)
    mask = None
    if value is not None and masked is not None:
        mask = MaskProof(value, masked.product, masked.tail)
    committed = WitnessProof(tree.root, sample.answer)
    return ProofContent(statement, committed, relations, fractions, products, mask, opening)


def commit_witness(
    commit: Callable[[], Tree],
    column_values: Callable[[Extension], ExtensionVector],
    witness: Witness,
    transcript: Transcript,
    pool: Pool,
) -> tuple[Tree, Sample]:
    """Commits the witness by `commit`, and answers its out-of-domain sample by the columns' values there."""
    with timed("commitment", "proving"):
        tree = commit()
    z = absorb_root(transcript, tree.root)
    return tree, absorb_answer(transcript, z, witness.evaluate(z, column_values(z), pool))


@dataclass(frozen=True)
class KnownColumns:
    """The columns of all matrices at the point of a matrix's sample.

    Attributes:
        matrix: what the sample is of.
        z: its point.
        values: for each column c of all matrices, in their order, sum_i M[i][c] z^i over the rows of data.
    """

    matrix: Matrix | MatrixColumns
    z: Extension
    values: ExtensionVector


@timed("combination of claims", "proving")
def open_claims(
    batched: BatchedClaims, layout: Layout, known: Sequence[KnownColumns], witness: Witness
) -> OpeningClaims:
    """The claims to open; the last ones are the samples of `known`, which are given by columns' values."""
    combined, hidden = batched.combined, None
    if batched.random_rows is not None:
        hidden = HiddenRows(batched.random_rows, witness.random_rows)
    first = len(combined.claims) - len(known)
    columns = tuple(
        ColumnSample(
            item.z,
            combined.scales[first + number],
            layout.addresses_of(item.matrix),
            item.values.take(list(layout.order)),
        )
        for number, item in enumerate(known)
    )
    emptied = tuple(Claim(claim.value, NO_TERMS, claim.pads) for claim in combined.claims[first:])
    return OpeningClaims(replace(combined, claims=combined.claims[:first] + emptied), columns, hidden)
