"""A prover with one other weight, honest in all else, proves nothing that the true weights do not give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.argument.local_backend import LocalBackend, LocalWeights
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.prover import Prover, weights_seed
from tests import random_models
from tests.attacks.lies import bumped
from tests.attacks.lying_prover import LyingProver, accepted
from tests.attacks.models import make_key
from tests.attacks.test_lies import MODELS, SEEDS
from tests.backends import local
from tests.examples import few, many
from tests.records import replace

PROVERS: dict[str, tuple[Weights, bool]] = {
    "its own tree": ("committed", True),
    "the true tree": ("committed", False),
    "public weights": ("public", False),
}


def with_weights(key: Prover, constants: dict[str, IntArray], *, commits: bool) -> Prover:
    """The prover of a key that computes with other weights, and perhaps opens a tree of its own over them."""
    verifying, true, pool = key.verifying, local(key).local_weights, key.backend.pool
    other = LocalWeights.of({i: constants[name] for i, name in key.lowered.constants.items()})
    if commits:
        largest = verifying.instance(verifying.max_batch)
        other = other.commit(
            largest.system,
            largest.layout,
            verifying.schedule,
            weights_seed(verifying.schedule, key.secret),
            pool,
        )
    else:
        other = replace(other, matrix=true.matrix, committed=true.committed)
    return replace(key, backend=LocalBackend(verifying.schedule, other, pool))


def require_refusal(
    model: IntegerModel, prover: str, data: st.DataObject, seed: int, *, hiding: bool
) -> None:
    weights, commits = PROVERS[prover]
    assume(model.constants)
    random = np.random.default_rng(seed)
    name = str(random.choice(sorted(model.constants)))
    values = model.constants[name]
    changed = bumped(values, int(random.integers(values.size)), int(random.choice((1, -1, 7))))
    key = make_key(model, weights=weights, hiding=hiding)
    constants = {**model.constants, name: changed}
    other = with_weights(key, constants, commits=commits)
    attacker = LyingProver(other, data.draw(random_models.inputs(model, 2)))
    attacker.model = replace(model, constants=constants)
    attempt = attacker.attempt(attacker.run(None, lambda inference: inference))
    honest = LyingProver(key, attacker.inputs)
    assert accepted(key, honest.honest)
    # A weight that changes nothing, like one of a layer that is multiplied by 0, may be any.
    assert honest.is_honest(attempt) or not accepted(key, attempt, by=other)


@pytest.mark.parametrize("prover", PROVERS)
@few(40)
@given(model=MODELS, data=st.data(), seed=SEEDS, hiding=st.booleans())
def test_one_other_weight(
    prover: str, model: IntegerModel, data: st.DataObject, seed: int, hiding: bool
) -> None:
    require_refusal(model, prover, data, seed, hiding=hiding)


@pytest.mark.slow
@pytest.mark.parametrize("prover", PROVERS)
@many(1000)
@given(model=MODELS, data=st.data(), seed=SEEDS, hiding=st.booleans())
def test_one_other_weight_of_many(
    prover: str, model: IntegerModel, data: st.DataObject, seed: int, hiding: bool
) -> None:
    require_refusal(model, prover, data, seed, hiding=hiding)
