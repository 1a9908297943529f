"""The prover's page of the argument; `verify` faces it, step by step.

The heavy steps are those of a `Backend`: this process, or a group of workers.
"""

from __future__ import annotations

from dataclasses import replace

from deepprove_dist.kernels import Pool, Transcript
from deepprove_dist.protocol.argument.backend import Backend, CommittedWeights, ProofRun
from deepprove_dist.protocol.argument.shared import WitnessSample, absorb_answer, absorb_root, combine_claims
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.claims.claim import CombinedClaims
from deepprove_dist.protocol.claims.layout import Layout
from deepprove_dist.protocol.claims.public import PublicValues, bind_public
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.key.weights import evaluate_public_weights
from deepprove_dist.protocol.lookup.prove import prove_lookups
from deepprove_dist.protocol.messages.proof import ProofContent, StatementBytes, WitnessProof
from deepprove_dist.protocol.messages.statement import start_transcript
from deepprove_dist.protocol.opening.prove import ColumnSample, OpeningClaims, Tree, prove_opening
from deepprove_dist.protocol.relations.prove import prove_relations
from deepprove_dist.timing import timed


def prove(
    key: KeyContent, statement: StatementBytes, public: PublicValues, witness: Witness, backend: Backend
) -> ProofContent:
    """The proof of a statement; `public` has the integers that `statement` encodes.

    Raises VerificationError for a batch that the key does not allow, and what the backend raises.
    """
    instance, pool = key.instance(statement.batch), backend.pool
    system, run = instance.system, backend.begin(instance, witness)
    transcript = start_transcript(key.security, statement)
    tree, sample = _commit(run, witness, transcript, pool)
    claims = bind_public(system, public, transcript, pool)
    relations, claimed = prove_relations(system, run, transcript, pool)
    claims += claimed
    fractions, claimed = prove_lookups(system, instance.leaves, run, transcript)
    claims += claimed
    trees = [tree]
    if backend.weights is None:
        claims = evaluate_public_weights(system, claims, backend.vectors, pool)
    else:
        trees.insert(0, backend.weights.tree)
    combined = combine_claims(key, instance, claims, sample, transcript)
    opened = _know_columns(combined, instance.layout, backend.weights, witness, pool)
    opening = prove_opening(key.schedule, trees, run, opened, transcript)
    return ProofContent(statement, WitnessProof(tree.root, sample.answer), relations, fractions, opening)


def _commit(
    run: ProofRun, witness: Witness, transcript: Transcript, pool: Pool
) -> tuple[Tree, WitnessSample]:
    """Commits the witness and answers its out-of-domain sample."""
    with timed("commitment", "proving"):
        tree = run.commit()
    z = absorb_root(transcript, tree.root)
    answer = witness.matrix.column_values(len(witness.matrix), z, pool)[0]
    return tree, absorb_answer(transcript, z, answer)


@timed("combination of claims", "proving")
def _know_columns(
    combined: CombinedClaims, layout: Layout, weights: CommittedWeights | None, witness: Witness, pool: Pool
) -> OpeningClaims:
    """The claims to open: the weights' sample, the last of them, is given by its columns' values."""
    if weights is None:
        return OpeningClaims(combined)
    *others, sample = combined.claims
    scale = combined.scales[len(others)]
    values = weights.column_values + witness.matrix.column_values(1 << layout.log_rows, weights.z, pool)
    known = ColumnSample(weights.z, scale, 0, layout.weight_columns, values)
    return OpeningClaims(replace(combined, claims=(*others, replace(sample, terms=()))), (known,))
