"""Hiding keys of the small model, in memory and in folders."""

from __future__ import annotations

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.kernels import Pool
from deepprove_dist.key_budget import KeyBudget
from deepprove_dist.prover import Prover
from deepprove_dist.proving_key import ProvingKey
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.setup_options import Options
from tests.model.small_model import small_model

POOL = Pool(1)
PROVER = Prover.generate(small_model(), Options(hiding=True, proofs=1), POOL, Secret(bytes(range(32))))
TRANSPARENT = Prover.generate(small_model(), Options(), POOL)
X: FloatArray = np.array([[[0.25, 0.5], [-2.0, 1.75]]])


def hiding_keys(limit: int | None = None) -> ProvingKey:
    """New keys with the budget of their schedule, or of another number of proofs."""
    proofs = PROVER.verifying.schedule.initial.proofs
    return ProvingKey(PROVER, budget=KeyBudget(proofs if limit is None else limit))


def transparent_keys() -> ProvingKey:
    """Keys whose proofs hide nothing."""
    return ProvingKey(TRANSPARENT)
