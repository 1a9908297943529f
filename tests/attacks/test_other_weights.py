"""A prover with one other weight, honest in all else, proves nothing that the true weights do not give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deepprove_dist.kernels import BaseVector
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.protocol.table import IntArray
from deepprove_dist.prover import ProvingKey
from tests import random_models
from tests.attacks.liar import Liar, accepted
from tests.attacks.lies import bumped
from tests.attacks.models import make_key
from tests.attacks.test_lies import MODELS, SEEDS
from tests.examples import few, many

PROVERS: dict[str, tuple[Weights, bool]] = {
    "its own tree": ("committed", True),
    "the true tree": ("committed", False),
    "public weights": ("public", False),
}


def with_weights(key: ProvingKey, constants: dict[str, IntArray], *, commits: bool) -> ProvingKey:
    """The prover of a key that computes with other weights, and perhaps opens a tree of its own over them."""
    prover = ProvingKey.load(key.model, key.verifying, key.pool)
    for tensor, name in lower(key.model).constants.items():
        prover.weight_arrays[tensor] = constants[name]
        prover.weight_vectors[tensor] = BaseVector.from_array(constants[name].reshape(-1))
    if commits:
        schedule, largest = key.verifying.schedule, key.verifying.instance(key.verifying.max_batch)
        prover.weights = prover._commit_weights(schedule, largest.layout)
    return prover


def require_refusal(model: IntegerModel, prover: str, data: st.DataObject, seed: int) -> None:
    weights, commits = PROVERS[prover]
    assume(model.constants)
    random = np.random.default_rng(seed)
    name = str(random.choice(sorted(model.constants)))
    values = model.constants[name]
    changed = bumped(values, int(random.integers(values.size)), int(random.choice((1, -1, 7))))
    key = make_key(model, weights=weights)
    constants = {**model.constants, name: changed}
    other = with_weights(key, constants, commits=commits)
    liar = Liar(other, data.draw(random_models.inputs(model, 2)))
    liar.model = replace(model, constants=constants)
    attempt = liar.attempt(liar.run(None, lambda inference: inference))
    honest = Liar(key, liar.inputs)
    assert accepted(key, honest.honest)
    # A weight that changes nothing, like one of a layer that is multiplied by 0, may be any.
    assert honest.is_honest(attempt) or not accepted(key, attempt, by=other)


@pytest.mark.parametrize("prover", PROVERS)
@few(40)
@given(model=MODELS, data=st.data(), seed=SEEDS)
def test_one_other_weight(prover: str, model: IntegerModel, data: st.DataObject, seed: int) -> None:
    require_refusal(model, prover, data, seed)


@pytest.mark.slow
@pytest.mark.parametrize("prover", PROVERS)
@many(1000)
@given(model=MODELS, data=st.data(), seed=SEEDS)
def test_one_other_weight_of_many(prover: str, model: IntegerModel, data: st.DataObject, seed: int) -> None:
    require_refusal(model, prover, data, seed)
