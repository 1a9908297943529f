"""Keys and a proof of the small model, made once for all tests."""

from __future__ import annotations

from functools import cache

import numpy as np

from deepprove_dist.kernels import Pool
from deepprove_dist.model.inference import InferenceTrace
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.prover import Attempt, Prover, prove
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.setup_options import Options
from tests.model.small_model import small_model

POOL = Pool(1)
MAX_BATCH = 3


SECRET = Secret(bytes(range(32)))
ATTEMPT = Attempt(Reservation(epoch=0, number=0, nonce=bytes(32)))
"""Tests fix what production always draws, so that equal inputs have equal proofs."""


@cache
def proving_key(weights: Weights = "committed", *, hiding: bool = False) -> Prover:
    options = Options(weights, max_batch=MAX_BATCH, hiding=hiding)
    return Prover.generate(small_model(), options, POOL, SECRET if hiding else None)


def trace(samples: int = 1) -> InferenceTrace:
    inputs = np.random.default_rng(samples).integers(-8, 7, (samples, 1, 2, 2), endpoint=True)
    return proving_key().runner.run({"x": inputs})


@cache
def proof(weights: Weights = "committed", samples: int = 1, *, hiding: bool = False) -> bytes:
    attempt = ATTEMPT if hiding else None
    key = proving_key(weights, hiding=hiding)
    return bytes(prove(key, trace(samples), samples, b"context", attempt))
