"""The prover's page of a certificate; `verify` faces it, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from deepprove_dist.kernels import BaseVector, Commitment, Encoder, Extension, ExtensionVector, Pool
from deepprove_dist.protocol.argument.backend import CommittedWeights
from deepprove_dist.protocol.argument.prove import KnownColumns, commit_witness, open_claims
from deepprove_dist.protocol.argument.shared import absorb_mask, combine_claims
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.certificate.shared import CertifiedWeights, weights_samples
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.messages.certificate import (
    CertificateContent,
    CertificateStatement,
    start_transcript,
)
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.messages.proof import MaskProof, WitnessProof
from deepprove_dist.protocol.opening.codes import tree_shapes
from deepprove_dist.protocol.opening.mask import draw_mask
from deepprove_dist.protocol.opening.prove import LocalMatrices, prove_opening
from deepprove_dist.protocol.parameters import InitialCode, certificate_schedule


@dataclass(frozen=True)
class EpochMatrix:
    """The weights of an epoch as their prover has them: in columns with their tails, and committed."""

    epoch: EpochWeights
    matrix: BaseVector
    committed: CommittedWeights

    def column_values(self, rows: int, z: Extension, pool: Pool) -> ExtensionVector:
        """For every column c, sum_i W[i][c] z^i over its `rows` rows; known at the point of its sample."""
        if z == self.committed.z:
            return self.committed.column_values
        return self.matrix.column_values(rows, z, pool)


def state(key: KeyContent, old: EpochWeights, new: EpochWeights, nonce: bytes) -> CertificateStatement:
    """The statement of a certificate; `nonce` is the new epoch's, 32 bytes.

    Raises SecurityError where no schedule reaches the key's level.
    """
    schedule = certificate_schedule(key.schedule, CertifiedWeights.of(key).shape)
    return CertificateStatement(key.digest, schedule, old, new, nonce)


def prove(
    key: KeyContent,
    statement: CertificateStatement,
    weights: tuple[EpochMatrix, EpochMatrix],
    seed: bytes,
    pool: Pool,
) -> CertificateContent:
    """The certificate of a statement; `weights` are the old epoch's and the new one's.

    All that is random in it follows from `seed`, 32 bytes.
    """
    schedule, certified = statement.schedule, CertifiedWeights.of(key)
    code = schedule.initial
    layout, encoder = certified.lay_out(code), Encoder()
    witness = Witness.without_tensors(code, seed)
    transcript = start_transcript(statement)

    def commit() -> Commitment:
        return Commitment.of_base(witness.matrix, tree_shapes(code)[-1], encoder, pool, witness.random_rows)

    tree, sample = commit_witness(
        commit, partial(witness.column_values, pool=pool), witness, transcript, pool
    )
    omega = draw_mask(code, transcript)
    claims = certified.claims(transcript)
    value = witness.mask_value(omega)
    claims.insert(0, absorb_mask(transcript, value))
    matrices = [*(item.matrix for item in weights), witness.matrix]
    samples = [sample, *weights_samples(key, statement)]
    known = [
        KnownColumns(item.matrix, item.z, _column_values(item.z, weights, witness, code, pool))
        for item in samples[1:]
    ]
    batched = combine_claims(code, layout, claims, samples, omega, transcript)
    opened = open_claims(batched, layout, known, witness)
    trees = [*(item.committed.tree for item in weights), tree]
    openable = LocalMatrices(matrices, layout, encoder, pool)
    opening, masked = prove_opening(schedule, trees, openable, opened, transcript)
    assert masked is not None, "a certificate hides the weights"
    mask = MaskProof(value, masked.product, masked.tail)
    return CertificateContent(statement, WitnessProof(tree.root, sample.answer), mask, opening)


def _column_values(
    z: Extension, weights: Sequence[EpochMatrix], witness: Witness, code: InitialCode, pool: Pool
) -> ExtensionVector:
    """The columns of all matrices at z, in their order: rows of data alone."""
    rows, values = 1 << code.log_rows, ExtensionVector([])
    for item in weights:
        values += item.column_values(rows, z, pool)
    return values + witness.column_values(z, pool)
