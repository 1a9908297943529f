"""Keys and a proof of the small model, made once for all tests."""

from __future__ import annotations

from functools import cache

import numpy as np

from deepprove_dist.kernels import Pool
from deepprove_dist.model.inference import InferenceTrace
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.prover import Options, Prover, prove
from tests.model.small_model import small_model

POOL = Pool(1)
MAX_BATCH = 3


@cache
def proving_key(weights: Weights = "committed") -> Prover:
    return Prover.generate(small_model(), Options(weights, max_batch=MAX_BATCH), POOL)


def trace(samples: int = 1) -> InferenceTrace:
    inputs = np.random.default_rng(samples).integers(-8, 7, (samples, 1, 2, 2), endpoint=True)
    return proving_key().runner.run({"x": inputs})


@cache
def proof(weights: Weights = "committed", samples: int = 1) -> bytes:
    return bytes(prove(proving_key(weights), trace(samples), samples, b"context"))
