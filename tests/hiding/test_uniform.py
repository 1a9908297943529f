"""All that a proof sends is uniform, coordinate by coordinate and in random combinations; so are
simulated proofs.
"""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import MODULUS
from tests.hiding.detectors import weights_view
from tests.hiding.simulator import SimulatedKey, simulate
from tests.hiding.statistics import functionals, suspicious, tail_probability
from tests.hiding.toy import Sizes, Toy, toy_key
from tests.hiding.views import INDEPENDENT, View, stacked, view, views_of

SIZES = {
    "plain": Sizes(),
    "grouped": Sizes(log_inverse_rate=2, witness_group=1),
    "folded": Sizes(folded=True),
    "hidden input and output": Sizes(log_inverse_rate=2, hidden_tail=16),
}
SHORT, LONG = 200, 4000
COMBINATIONS = 200


def require_uniform(samples: View, parts: tuple[str, ...]) -> None:
    """Each value, and combinations of all values in `parts`."""
    assert not suspicious(samples)
    assert not suspicious(functionals(samples, parts, COMBINATIONS, seed=1))


def check_proofs(name: str, count: int) -> None:
    samples = stacked(views_of(Toy(toy_key(SIZES[name])), range(count)))
    # Those of one key: all proofs show the same rows of weights at the same positions.
    weights = samples.pop("weight leaves")
    assert (weights == weights[0]).all()
    # F is sent in clear where no round folds it.
    parts = (
        INDEPENDENT if name != "folded" else tuple(part for part in INDEPENDENT if part != "opening/final")
    )
    hidden = ("hidden answers", "hidden leaves") if "hidden leaves" in samples else ()
    require_uniform(samples, (*parts, *hidden))


def check_keys(count: int) -> None:
    require_uniform(
        stacked(weights_view(Sizes(), secret) for secret in range(count)), ("answer", "weight leaves")
    )


def check_simulated(count: int) -> None:
    """Of many keys, so that rows of weights are uniform as well."""
    toy, rng = Toy(toy_key()), np.random.default_rng(2)
    views = []
    for _ in range(count):
        key = SimulatedKey.of(toy.key.verifying, rng)
        statement = key.statement(toy.statement)
        views.append(view(key.content, simulate(key, statement, toy.public, rng).proof))
    # Positions are drawn, and where they are in one leaf there is a row less.
    require_uniform(stacked(same_lengths(views)), (*INDEPENDENT, "weight leaves"))


def same_lengths(views: list[View]) -> list[View]:
    most = max(len(item["witness leaves"]) for item in views)
    return [item for item in views if len(item["witness leaves"]) == most]


@pytest.mark.parametrize("name", SIZES)
def test_all_that_a_proof_sends_is_uniform(name: str) -> None:
    check_proofs(name, SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_all_that_thousands_of_proofs_send_is_uniform(name: str) -> None:
    check_proofs(name, LONG)


def test_rows_of_weights_and_the_answer_are_uniform_over_keys() -> None:
    check_keys(SHORT)


@pytest.mark.slow
def test_rows_of_weights_and_the_answer_are_uniform_over_thousands_of_keys() -> None:
    check_keys(LONG)


def test_simulated_proofs_pass_the_same_statistics() -> None:
    check_simulated(60)


@pytest.mark.slow
def test_thousands_of_simulated_proofs_pass_the_same_statistics() -> None:
    check_simulated(1500)


@pytest.mark.parametrize("wrong", ["high bits", "low bits", "few values", "dependent"])
def test_statistics_see_what_is_not_uniform(wrong: str) -> None:
    rng = np.random.default_rng(3)
    values: IntArray = rng.integers(0, MODULUS, (SHORT, 20))
    samples = {"part": values}
    assert not suspicious(samples)
    match wrong:
        case "high bits":
            values[:, 3] //= 2
        case "low bits":
            values[:, 3] -= values[:, 3] % 2
        case "few values":
            values[:, 3] = values[:3, 3][rng.integers(0, 3, SHORT)]
        case _:
            values[:, 3] = values[:, 4]
            difference = (values[:, 3] - values[:, 4]) % MODULUS
            assert suspicious({"part": difference[:, None]})
            return
    assert suspicious(samples) == ["part"]


def test_the_chance_of_a_statistic_is_that_of_seven_degrees() -> None:
    # Quantiles of a printed table.
    for statistic, chance in ((2.833, 0.9), (6.346, 0.5), (14.067, 0.05), (24.322, 0.001)):
        assert abs(tail_probability(statistic) - chance) < 1e-3
