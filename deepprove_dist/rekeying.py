"""The next epoch of a key: the same weights with fresh random rows, and the certificate that says so.

Epochs 1 to ROOTED are certified by the anchor, the next ones by epoch ROOTED, and so on. A tail has rows for
so many certificates as an old root, and for one as a new one. So a chain has one certificate for ROOTED
epochs.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from deepprove_dist.canonical import encode
from deepprove_dist.errors import ExecutionError, InputError
from deepprove_dist.kernels import digest
from deepprove_dist.protocol.argument.local_backend import LocalBackend, LocalWeights
from deepprove_dist.protocol.certificate.accepted import AcceptedEpochs
from deepprove_dist.protocol.certificate.prove import EpochMatrix, prove, state
from deepprove_dist.protocol.messages import certificate as certificate_file
from deepprove_dist.protocol.messages.certificate import PROTOCOL
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.parameters import CERTIFICATES
from deepprove_dist.prover import Prover, epoch_seed_parts, weights_seed
from deepprove_dist.randomness.reservation import NONCE_BYTES
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.randomness.seed import certificate_seed
from deepprove_dist.timing import timed

ROOTED = CERTIFICATES - 1
"""Epochs that one epoch certifies: all certificates of a tail but the one that certifies it."""


def old_epoch(number: int) -> int:
    """The epoch that certifies a later one than the anchor."""
    return (number - 1) // ROOTED * ROOTED


@timed("rekeying", "whole")
def rekey(prover: Prover, nonce: bytes | None = None) -> tuple[Prover, bytes]:
    """The prover of the next epoch, and the certificate of that epoch. The given prover stays as it is.

    A function of the prover's keys and of the nonce: 32 bytes, by default of the operating system. So two
    copies of a folder of keys make different epochs of one number. Raises InputError for keys without epochs,
    and ExecutionError for a prover whose weights are with workers.
    """
    backend, epoch, secret = prover.backend, require_epoch(prover), prover.secret
    assert secret is not None, "a prover of hidden weights has one"
    if not isinstance(backend, LocalBackend):
        raise ExecutionError("a new epoch is made in one process: load the keys without workers, and rekey")
    number, nonce = old_epoch(epoch.number + 1), nonce or secrets.token_bytes(NONCE_BYTES)
    weights, new = _commit(prover, backend, secret, epoch.number + 1, nonce)
    if number == epoch.number:
        old, chain = _epoch_matrix(prover, epoch.number, backend.local_weights), prover.certificates
    else:
        chain = prover.certificates[:-1]
        old = _commit(prover, backend, secret, *epoch_seed_parts(prover.verifying, chain))[1]
    statement = state(prover.verifying, old.epoch, new.epoch, nonce)
    seed = certificate_seed(
        secret,
        PROTOCOL.decode(),
        prover.verifying.digest,
        digest("deepprove-dist certificate statement", encode(statement)),
    )
    content = prove(prover.verifying, statement, (old, new), seed, backend.pool)
    certificate = certificate_file.dump(content)
    certificates = (*chain, certificate)
    # A prover that computed wrongly must not show what it made.
    AcceptedEpochs(prover.verifying, certificates)
    moved = LocalBackend(backend.schedule, weights, backend.pool)
    return replace(prover, backend=moved, certificates=certificates), certificate


def require_epoch(prover: Prover) -> EpochWeights:
    """The prover's epoch. Raises InputError for keys without epochs."""
    if prover.epoch is None:
        raise InputError("these keys have no epochs: only hidden weights that are committed have them")
    return prover.epoch


def _commit(
    prover: Prover, backend: LocalBackend, secret: Secret, number: int, nonce: bytes
) -> tuple[LocalWeights, EpochMatrix]:
    """The weights of another epoch than the prover's, encoded and committed."""
    verifying, local = prover.verifying, backend.local_weights
    instance, schedule = verifying.instance(verifying.max_batch), verifying.schedule
    seed = weights_seed(schedule, secret, number, nonce)
    plain = LocalWeights(local.arrays, local.vectors)
    weights = plain.commit(instance.system, instance.layout, schedule, seed, backend.pool)
    return weights, _epoch_matrix(prover, number, weights)


def _epoch_matrix(prover: Prover, number: int, weights: LocalWeights) -> EpochMatrix:
    assert weights.matrix is not None
    assert weights.committed is not None
    commitment = weights.committed.commitment(prover.verifying.schedule)
    epoch = EpochWeights(number, commitment.root, commitment.answer)
    return EpochMatrix(epoch, weights.matrix, weights.committed)
