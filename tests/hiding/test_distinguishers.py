"""Proofs of two models with equal outputs cannot be told apart; transparent ones are, by the same tests."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest

from deepprove_dist.arrays import FloatArray
from deepprove_dist.field import MODULUS
from deepprove_dist.model.integer_model import IntegerModel
from tests.hiding.distinguishers import CLASSIFIERS, right_guesses
from tests.hiding.elements import coordinates
from tests.hiding.models import permuted, unused_unit_changed
from tests.hiding.programmed import FROZEN, programmed
from tests.hiding.toy import Sizes, Toy, toy_key, toy_model
from tests.hiding.views import view

PAIRS: dict[str, tuple[Callable[[], IntegerModel], Callable[[], IntegerModel]]] = {
    "permuted": (toy_model, permuted),
    "unused": (lambda: unused_unit_changed(0), lambda: unused_unit_changed(1)),
}
TRANSPARENT = Sizes(hiding=False)
SHORT, LONG = 80, 600
DEVIATIONS = 4.5
"""Of a binomial distribution: more are seen once in 150,000 tests."""


def features(sizes: Sizes, model: Callable[[], IntegerModel], first: int, count: int) -> FloatArray:
    """Everything in view, [proofs, values] from -1/2 to 1/2: of a key of its secret each, at the
    same positions.
    """
    rows = []
    with programmed(frozen=FROZEN):
        for number in range(first, first + count):
            toy = Toy(toy_key(sizes, number, model()))
            proof = toy.prove(number, number.to_bytes(4, "little"))
            parts = list(view(toy.key.verifying, proof).values())
            values = np.concatenate(parts) / MODULUS
            # What the verifying key says; a transparent one says the same each time, which would be too easy.
            if sizes.hiding:
                commitment = toy.key.verifying.weights
                assert commitment is not None
                digests = toy.key.verifying.model_digest + commitment.root + proof.witness.root
                answer = coordinates(commitment.answer)[0] / MODULUS
                values = np.concatenate([values, answer, np.frombuffer(digests, dtype=np.uint8) / 256])
            rows.append(values)
    return np.stack(rows) - 0.5


def require_chance(pair: str, count: int) -> None:
    models = PAIRS[pair]
    samples = [features(Sizes(), model, count * index, count) for index, model in enumerate(models)]
    for classifier in CLASSIFIERS.values():
        right, guesses = right_guesses(classifier, *samples)
        assert abs(right - guesses / 2) <= DEVIATIONS * sqrt(guesses) / 2


@pytest.mark.parametrize("pair", PAIRS)
def test_outputs_are_equal(pair: str) -> None:
    first, second = (Toy(toy_key(model=model())) for model in PAIRS[pair])
    assert np.array_equal(first.trace.outputs["y"], second.trace.outputs["y"])
    assert first.key.verifying.system == second.key.verifying.system


@pytest.mark.parametrize("pair", PAIRS)
def test_hiding_proofs_are_told_apart_by_chance_alone(pair: str) -> None:
    require_chance(pair, SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS)
def test_many_hiding_proofs_are_told_apart_by_chance_alone(pair: str) -> None:
    require_chance(pair, LONG)


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("pair", PAIRS)
def test_transparent_proofs_are_told_apart(pair: str, name: str) -> None:
    samples = [features(TRANSPARENT, model, 20 * index, 20) for index, model in enumerate(PAIRS[pair])]
    assert right_guesses(CLASSIFIERS[name], *samples) == (20, 20)
