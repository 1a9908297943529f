"""A clamp by blocks and sides has one witness: every other one is refused."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.prover import Prover
from tests.attacks.lying_prover import LyingProver, accepted
from tests.attacks.models import make_key
from tests.attacks.test_lies import refused_kinds
from tests.lowering.test_wide_table import wide_model

SAMPLES = 2


@pytest.fixture(scope="module", params=["committed", "public"])
def wide_key(request: pytest.FixtureRequest, hiding: bool) -> Prover:
    weights: Weights = request.param
    return make_key(wide_model(), weights=weights, folds=False, hiding=hiding)


@pytest.fixture(scope="module")
def prover(wide_key: Prover) -> LyingProver:
    x = np.random.default_rng(1).integers(-128, 128, (SAMPLES, 1, 40))
    return LyingProver(wide_key, {"x": x})


def test_lies_about_one_value(prover: LyingProver) -> None:
    kinds = refused_kinds(prover.key, prover.inputs, 3)
    assert kinds >= {"an output", "a committed value", "a multiplicity", "elements trade places, committed"}


LIES = {
    # The digits of the same number, out of their range by one carry.
    "a carry to the block": ({"low": -256, "block": 1}, None),
    "a carry from the block": ({"low": 256, "block": -1}, None),
    # Each side's value, where the block has another one.
    "inside": ({"side": 0}, 0),
    "above": ({"side": 1}, 1),
    "below": ({"side": 2}, 2),
    # Another number altogether.
    "another index": ({"low": 1}, None),
    "another block": ({"block": 1}, None),
}


@pytest.mark.parametrize("name", LIES)
def test_other_digits_and_sides(prover: LyingProver, name: str) -> None:
    """All that follows is computed from the lie, and counted in the tables."""
    changes, side = LIES[name]
    system = prover.instance.system
    names = {tensor.name.partition(".q.")[2]: index for index, tensor in enumerate(system.tensors)}
    tensors = {index: values.copy() for index, values in prover.honest.witness.tensors.items()}
    sides = tensors[names["side"]].reshape(-1)
    index = next(k for k, value in enumerate(sides) if value != side)
    for part, step in changes.items():
        values = tensors[names[part]].reshape(-1)
        values[index] = step if side is not None else values[index] + step
    low, block = (tensors[names[part]].reshape(-1)[index] for part in ("low", "block"))
    (result,) = (lookup.columns[1].stored for lookup in system.lookups if lookup.stored is None)
    (table,) = (system.tables[lookup.table] for lookup in system.lookups if lookup.stored is None)
    assert result is not None
    assert table.function is not None
    key = int(low + 256 * tensors[names["side"]].reshape(-1)[index])
    if 0 <= key < table.size:
        tensors[result].reshape(-1)[index] = table.function.apply(np.array([key]))[0]
    attempt = prover.commit(prover.honest.trace, tensors | prover.counts(tensors))
    assert not prover.is_honest(attempt)
    assert not accepted(prover.key, attempt), (name, low, block)
