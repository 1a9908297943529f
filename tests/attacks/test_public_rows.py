"""An embedding by public tokens: no prover takes another token's row, and no statement has other tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from unittest.mock import patch

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.kernels import BaseVector
from deepprove_dist.operators.integer_operator import Inference
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.protocol.system.public_selection import with_selections
from deepprove_dist.protocol.system.system import System
from deepprove_dist.prover import Prover
from tests.attacks.lying_prover import LyingProver, accepted, refused
from tests.attacks.models import make_key, prove_fast
from tests.attacks.reference_prover import ReferenceProver
from tests.attacks.test_lies import refused_kinds
from tests.model.test_rows_by_input import SIZE, tokens
from tests.records import replace

TOKENS = np.array([[[0, 4, -1, 5]], [[3, -5, 2, 1]]])
"""Two samples, with indices from either end, and one that has no row."""


@pytest.fixture(scope="module", params=["committed", "public"])
def token_key(request: pytest.FixtureRequest, hiding: bool) -> Prover:
    weights: Weights = request.param
    return make_key(tokens(), weights=weights, folds=False, hiding=hiding)


@pytest.fixture(scope="module")
def prover(token_key: Prover) -> LyingProver:
    return LyingProver(token_key, {"x": TOKENS})


def test_an_honest_reference_prover_makes_the_real_bytes(prover: LyingProver) -> None:
    """It has the rows in its tensors, and makes the claims that the statement's lists give."""
    real = prove_fast(prover.key, prover.honest)
    reference = ReferenceProver(prover.key, prover.honest).prove()
    assert proof_file.dump(reference) == proof_file.dump(real)
    assert accepted(prover.key, prover.honest)


def test_lies_about_one_value(prover: LyingProver) -> None:
    kinds = refused_kinds(prover.key, prover.inputs, 3)
    assert kinds >= {"an output", "a committed value", "a multiplicity", "samples trade inputs"}


@pytest.mark.parametrize("position", range(TOKENS.size))
def test_another_tokens_row(prover: LyingProver, position: int) -> None:
    """All that follows is computed from the row, and counted in the tables."""
    (layer,) = (node for node in prover.nodes if node.operator == "dense")
    weight, bias = (prover.model.constants[name] for name in layer.inputs[1:])
    for other in range(SIZE):
        row = weight[:, other] + bias

        def lie(honest: Inference, row: IntArray = row) -> Inference:
            output = honest.output.copy()
            output.reshape(-1, len(weight))[position] = row
            return replace(honest, output=output)

        attempt = prover.attempt(prover.run(layer, lie))
        same = TOKENS.reshape(-1)[position] in (other, other - SIZE)
        assert prover.is_honest(attempt) == same
        assert accepted(prover.key, attempt) == same, (position, other)


def test_a_statement_of_other_tokens(prover: LyingProver) -> None:
    """The witness is that of the tokens before, also with the committed tokens changed.

    Both 5 and 6 have no row: to commit 6 and state it is honest.
    """
    for other in (np.roll(TOKENS, 1, axis=-1), np.where(TOKENS == 5, 6, TOKENS), TOKENS[::-1]):
        trace = replace(prover.honest.trace, values={**prover.honest.trace.values, "x": other})
        for attempt in (prover.state(trace), prover.attempt(trace)):
            assert accepted(prover.key, attempt) == prover.is_honest(attempt)


def test_a_prover_of_other_lists(prover: LyingProver) -> None:
    """It runs the whole argument with another selection, to which its witness belongs."""
    other = np.roll(TOKENS, 1, axis=-1)
    forged = LyingProver(prover.key, {"x": other})

    def selections(system: System, numbers: Sequence[int], inputs: Mapping[str, BaseVector]) -> System:
        return with_selections(system, numbers, {**inputs, "x": BaseVector.from_array(other.reshape(-1))})

    attempt = replace(prover.honest, witness=forged.honest.witness)
    with patch("deepprove_dist.protocol.key.key.with_selections", selections):
        proof = prove_fast(prover.key, attempt)
    assert refused(prover.key, proof)
