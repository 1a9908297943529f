"""A hiding key of the small model with a few epochs, and what false certificates need: all made once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.kernels import Pool
from deepprove_dist.model.inference import InferenceTrace
from deepprove_dist.protocol.argument.local_backend import LocalBackend, LocalWeights
from deepprove_dist.protocol.certificate.accepted import AcceptedEpochs
from deepprove_dist.protocol.certificate.prove import EpochMatrix
from deepprove_dist.protocol.messages import certificate as certificate_file
from deepprove_dist.protocol.messages.certificate import CertificateContent
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.parameters import CERTIFICATES
from deepprove_dist.prover import Attempt, Prover, prove, weights_seed
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.rekeying import rekey
from deepprove_dist.setup_options import Options
from tests.model.small_model import small_model

POOL = Pool(1)
SEED = bytes(range(32))
NONCE = bytes([7] * 32)
"""Of every later epoch."""
EPOCHS = CERTIFICATES + 1


@cache
def hiding_key(secret: int = 1) -> Prover:
    options = Options(hiding=True, proofs=1, max_batch=2)
    return Prover.generate(small_model(), options, POOL, Secret(bytes([secret] * 32)))


@cache
def chain() -> tuple[Prover, ...]:
    """The provers of the anchor and of some epochs after it, more than one epoch certifies."""
    provers = [hiding_key()]
    for _ in range(EPOCHS):
        provers.append(rekey(provers[-1], NONCE)[0])
    return tuple(provers)


def certificate(epoch: int = 1) -> bytes:
    return chain()[epoch].certificates[-1]


def content(epoch: int = 1) -> CertificateContent:
    return certificate_file.load(certificate(epoch))


def accept(*certificates: CertificateContent, key: Prover | None = None) -> EpochWeights:
    """A verifier's answer to some certificates, through their bytes."""
    epochs = AcceptedEpochs((key or hiding_key()).verifying)
    *_, last = (epochs.accept(certificate_file.dump(item)) for item in certificates)
    return last


def trace(samples: int = 1) -> InferenceTrace:
    inputs = np.random.default_rng(samples).integers(-8, 7, (samples, 1, 2, 2), endpoint=True)
    return hiding_key().runner.run({"x": inputs})


def make_proof(prover: Prover, *, carry: bool = False) -> bytes:
    assert prover.epoch is not None
    attempt = Attempt(Reservation(prover.epoch.number, 0, bytes(32)))
    return prove(prover, trace(), 1, b"context", attempt, carry=carry)


def commit(
    number: int, arrays: Mapping[int, IntArray] | None = None, prover: Prover | None = None
) -> EpochMatrix:
    """The weights of an epoch, or others in their place, as whoever has the secret commits them."""
    prover = prover or hiding_key()
    assert isinstance(prover.backend, LocalBackend)
    key, plain = prover.verifying, LocalWeights.of(arrays or prover.backend.local_weights.arrays)
    instance = key.instance(key.max_batch)
    seed = weights_seed(key.schedule, prover.secret, number, NONCE if number else b"")
    weights = plain.commit(instance.system, instance.layout, key.schedule, seed, POOL)
    assert weights.matrix is not None
    assert weights.committed is not None
    commitment = weights.committed.commitment(key.schedule)
    epoch = EpochWeights(number, commitment.root, commitment.answer)
    return EpochMatrix(epoch, weights.matrix, weights.committed)
