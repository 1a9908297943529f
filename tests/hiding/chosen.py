"""A key as a setup makes it, with a schedule that reaches its level of security."""

from __future__ import annotations

import numpy as np

from deepprove_dist.prover import Prover
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.setup_options import Options
from tests.hiding.toy import POOL, Toy
from tests.model.small_model import small_model


def chosen() -> Toy:
    """The small model, which has every kind of relation and two outputs."""
    key = Prover.generate(small_model(), Options(hiding=True), POOL, Secret(bytes(32)))
    return Toy(key, np.array([1, -2, 3, 4]).reshape(1, 1, 2, 2))
