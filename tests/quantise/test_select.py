"""Choosing a rule for ranges: only what is clearly better on samples held out replaces the extremes."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.errors import ChoiceError, QuantisationError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.quantise.calibration import Calibrated, Calibration
from deepprove_dist.quantise.float_model import LEAST_TRIED, MOST_TRIED, VALUES_TRIED, FloatModel
from deepprove_dist.quantise.ordinary import Marked
from deepprove_dist.quantise.ranges import MARGIN, MAXIMUM, RANGE_RULES
from deepprove_dist.quantise.report import compare
from deepprove_dist.quantise.select import FEWEST, SMALL, held_out_indices, quantise_best
from tests.quantise.inexact import Array, clipped_range, exact, network, normal, samples


def error_on(float_model: FloatModel, values: Array, method: str) -> tuple[str, float]:
    """The rule that a method chooses on 100 samples, and its error at the output on all others."""
    quantised = quantise_best(float_model, samples(x=values[:100]), method=method).final.quantised
    others = samples(x=values[100:])
    comparison = compare(quantised, float_model, Marked(others, np.ones(len(others), dtype=bool)))
    return quantised.range_rule, comparison.outputs[0].deviation.relative


@pytest.mark.parametrize("method", ["auto", "max", "percentile", "mse"])
def test_a_method_chooses_among_its_rules(method: str) -> None:
    case = exact()
    chosen = quantise_best(FloatModel(case.imported), case.calibration, method=method)
    assert chosen.final.quantised.range_rule in RANGE_RULES
    assert method == "auto" or chosen.final.quantised.range_rule.startswith(method)


def test_unknown_methods_are_refused() -> None:
    case = exact()
    with pytest.raises(ChoiceError, match="is one of 'auto', 'max'"):
        quantise_best(FloatModel(case.imported), case.calibration, method="best")


@pytest.mark.parametrize("count", [FEWEST, 64, 100, 1000])
def test_every_fourth_sample_is_held_out_or_fewer(count: int) -> None:
    indices = held_out_indices(count)
    assert count / 20 < len(indices) <= min(count / 4, MOST_TRIED)
    assert len(set(np.diff(indices))) == 1


def test_fewer_samples_of_large_networks_are_held_out() -> None:
    model = FloatModel(exact().imported)
    assert model.most_tried == MOST_TRIED
    model.touched = VALUES_TRIED // 20
    assert model.most_tried == 20
    model.touched = VALUES_TRIED
    assert model.most_tried == LEAST_TRIED
    assert len(held_out_indices(1000, model.most_tried)) == 15


def test_the_trial_has_not_seen_what_is_held_out() -> None:
    case = exact()
    selection = quantise_best(FloatModel(case.imported), case.calibration)
    assert selection.trial is not None
    assert selection.held_out is not None
    seen = selection.trial.calibration.basis.samples.inputs["x"]
    held_out = selection.held_out.samples.inputs["x"]
    assert len(seen) + len(held_out) == len(case.calibration)
    assert not {row.tobytes() for row in seen} & {row.tobytes() for row in held_out}
    assert selection.final.calibration.basis.samples is case.calibration


def test_with_few_samples_the_extremes_stand() -> None:
    case = exact()
    selection = quantise_best(FloatModel(case.imported), case.calibration.first(FEWEST - 1))
    assert selection.trial is None
    assert selection.final.quantised.range_rule == "max"


def test_a_margin_is_taken_where_a_sample_held_out_reaches_further() -> None:
    values = normal(100, 8, seed=2)
    values[held_out_indices(100)[3]] *= 2.2
    float_model = FloatModel(import_proto(network((normal(8, 16), "Relu"), (normal(16, 4, seed=1), ""))))
    held_out = held_out_indices(100)
    others = quantise_best(float_model, samples(x=np.delete(values, held_out, 0)), method="auto")
    rule = quantise_best(float_model, samples(x=values), method="auto").final.quantised.range_rule
    assert (others.final.quantised.range_rule, rule) == (MAXIMUM, MARGIN)


def test_a_rule_that_clips_what_matters_is_not_chosen() -> None:
    case = clipped_range()
    selection = quantise_best(FloatModel(case.imported), case.calibration)
    assert selection.final.quantised.range_rule == "max"


def test_a_rule_that_helps_is_chosen() -> None:
    """A layer with rare large values, whose reader saturates long before."""
    model = network((2 * np.eye(32), "Exp"), (np.eye(32), "Tanh"), (normal(32, 4), ""))
    values = normal(300, 32, seed=5)
    rule, chosen = error_on(FloatModel(import_proto(model)), values, "auto")
    _, largest = error_on(FloatModel(import_proto(model)), values, "max")
    assert rule != "max"
    assert chosen < 0.9 * largest


@pytest.mark.parametrize("seed", range(8))
def test_auto_is_hardly_ever_worse_than_the_extremes(seed: int) -> None:
    values = np.random.default_rng(seed).standard_t(4, size=(400, 12))
    layers = (normal(12, 24, seed=seed), "Relu"), (normal(24, 16, seed=seed + 1), "Abs")
    float_model = FloatModel(import_proto(network(*layers)))
    _, chosen = error_on(float_model, values, "auto")
    _, largest = error_on(float_model, values, "max")
    # A margin for rare values may cost others a little, as long as the error does not matter.
    assert chosen <= max(1.05 * largest, SMALL)


def test_with_more_bits_inputs_have_more_too() -> None:
    """Outputs that saturate on nearly all samples do not tell how fine an input has to be."""
    weight = normal(8, 3, seed=4)
    model = network((60 * weight, ""), (np.eye(3), "Tanh"))
    values = normal(64, 8, seed=1)
    # Samples held out at which nothing saturates: little of what the weights see.
    values[held_out_indices(64)] -= values[held_out_indices(64)] @ weight @ np.linalg.pinv(weight) * 0.99
    selection = quantise_best(FloatModel(import_proto(model)), samples(x=values), "auto")
    (tensor,) = selection.final.quantised.model.inputs
    assert selection.bits > 8
    assert tensor.hi - tensor.lo >= 2**selection.bits - 1


def test_a_rule_without_a_model_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network((2 * np.eye(32), "Exp"), (np.eye(32), "Tanh"), (normal(32, 4), ""))
    quantise, refused = Calibration.quantise, set[str]()

    def refusing(
        calibration: Calibration, graph: FloatGraph, bits: int, rule: str, *, rounded: bool = False
    ) -> Calibrated:
        if rule != MAXIMUM:
            refused.add(rule)
            raise QuantisationError("no scale fits")
        return quantise(calibration, graph, bits, rule, rounded=rounded)

    monkeypatch.setattr(Calibration, "quantise", refusing)
    selection = quantise_best(FloatModel(import_proto(model)), samples(x=normal(100, 32, seed=5)))
    assert selection.final.quantised.range_rule == MAXIMUM
    assert refused


@pytest.mark.parametrize("count", [FEWEST - 1, 40])
def test_more_bits_are_taken_where_the_fewest_raise_an_error(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = exact()
    model, basis = FloatModel(case.imported), case.calibration.first(count)

    real = Calibration.quantise

    def refuse_below(least: int) -> None:
        def refusing(
            calibration: Calibration, graph: FloatGraph, bits: int, rule: str, *, rounded: bool = False
        ) -> Calibrated:
            if bits < least:
                raise QuantisationError(f"no scale fits {bits} bits")
            return real(calibration, graph, bits, rule, rounded=rounded)

        monkeypatch.setattr(Calibration, "quantise", refusing)

    chosen = quantise_best(model, basis, "auto").bits
    refuse_below(9)
    # Where samples are held out, they may ask for more than the fewest.
    assert quantise_best(model, basis, "auto").bits == (10 if count < FEWEST else max(10, chosen))
    with pytest.raises(QuantisationError, match="no scale fits 8 bits"):
        quantise_best(model, basis, 8)
    refuse_below(12)
    assert quantise_best(model, basis, "auto").bits == 12
    refuse_below(13)
    with pytest.raises(QuantisationError, match="no scale fits"):
        quantise_best(model, basis, "auto")
