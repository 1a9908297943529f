"""Keys that hide an input and an output of the small model, and proofs for them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from deepprove_dist.model.hidden_names import HiddenNames
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.prover import NO_SEEDS, Prover, prove
from deepprove_dist.setup_options import Options
from tests.model.small_model import small_model
from tests.protocol.example import ATTEMPT, MAX_BATCH, POOL, SECRET, trace

PROOFS = 3
"""Proofs about one commitment."""


@cache
def hidden_key(weights: Weights = "committed") -> Prover:
    """Hides the input x and the output y; h, the other output, is in statements."""
    options = Options(
        weights,
        max_batch=MAX_BATCH,
        hiding=True,
        hidden=HiddenNames(("x",), ("y",)),
        commitment_proofs=PROOFS,
    )
    return Prover.generate(small_model(), options, POOL, SECRET)


@cache
def hidden_proof(weights: Weights = "committed", samples: int = 1) -> ProofContent:
    return make_proof(hidden_key(weights), samples)


def make_proof(key: Prover, samples: int = 1, seeds: Mapping[str, bytes] = NO_SEEDS) -> ProofContent:
    values = trace(samples)
    hidden = key.commit_hidden(values, samples, ATTEMPT, seeds)
    return proof_file.load(bytes(prove(key, values, samples, b"context", ATTEMPT, hidden)))
