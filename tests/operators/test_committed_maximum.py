"""The maximum of many positions is committed: in its range, and the sum of its gains."""

from __future__ import annotations

import numpy as np

from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.max_pool import MOST_POSITIONS
from tests.attacks.lying_prover import LyingProver
from tests.attacks.models import make_key
from tests.lowering.networks import Network
from tests.operators.proving import (
    assert_lies_refused,
    assert_proven_in_both_modes,
    changed,
)

SIZE = MOST_POSITIONS + 1
X = np.random.default_rng(2).integers(-8, 8, (2, 1, 1, SIZE))


def network() -> IntegerModel:
    built = Network((1, 1, SIZE), interval=(-8, 7))
    return built.model(built.dense(built.max_pool("x", (SIZE,), (1,)), 2))


def test_it_is_proven() -> None:
    assert_proven_in_both_modes(network(), {"x": X})


def test_lies_are_refused() -> None:
    attacker = LyingProver(make_key(network(), folds=False), {"x": X})
    last = f"d0_{SIZE - 1}"
    assert_lies_refused(
        attacker,
        "max_pool",
        {
            "a maximum that is not attained": changed(output=(0, 1)),
            "a maximum that is exceeded": changed(output=(0, -1)),
            "with a gain that fits": changed(output=(0, 1), **{last: (0, 1)}),
        },
    )
