"""Bits of activations that nobody gave: as few as are close enough, of those that a key can have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from deepprove_dist.errors import FormatError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.quantise.activation_bits import ENOUGH, Widening, fewest_bits
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.ranges import MARGIN, MAXIMUM
from deepprove_dist.quantise.select import FEWEST, Selection, held_out_indices, quantise_best
from tests.quantise.inexact import Inexact, exact, few_bits, network, samples

CASES: list[tuple[Mapping[int, float | None], int, list[int]]] = [
    ({8: 0.01}, 8, []),
    ({8: 0.07, 10: 0.018, 12: 0.005}, 10, [10]),
    ({8: 0.07, 10: 0.03, 12: 0.01}, 12, [10, 12]),
    ({8: 0.3, 10: 0.1, 12: 0.015}, 12, [12]),
    ({8: 0.3, 10: 0.1, 12: 0.25}, 8, [12]),
    ({8: 0.3, 10: 0.1, 12: None}, 10, [12, 10]),
    ({8: 0.3, 10: None, 12: None}, 8, [12, 10]),
    ({8: 9.0, 10: 3.0, 12: 1.0}, 12, [12]),
]


@pytest.mark.parametrize(("errors", "chosen", "tried"), CASES)
def test_the_fewest_bits_that_help_are_chosen(
    errors: Mapping[int, float | None], chosen: int, tried: list[int]
) -> None:
    """An error of None stands for bits that no model can have."""
    asked = []

    def attempt(bits: int) -> Widening[None] | None:
        asked.append(bits)
        error = errors[bits]
        return None if error is None else Widening(bits, None, error)

    first = Widening(8, None, errors[8] or 0.0)
    assert (fewest_bits(first, attempt).bits, asked) == (chosen, tried)


def selected(case: Inexact) -> Selection:
    return quantise_best(FloatModel(case.imported), case.calibration, "auto")


def test_bits_are_raised_where_outputs_are_inexact() -> None:
    case = few_bits()
    assert selected(exact()).bits == 8
    selection = selected(case)
    assert selection.bits > 8
    assert selection.trial is not None
    method = "margin" if selection.final.quantised.range_rule == MARGIN else "max"
    given = quantise_best(FloatModel(case.imported), case.calibration, selection.bits, method)
    assert selection.final.quantised.model.constants.keys() == given.final.quantised.model.constants.keys()
    assert selection.final.quantised.layers == given.final.quantised.layers


def test_without_samples_to_hold_out_bits_stay() -> None:
    case = few_bits()
    few = Inexact(case.model, case.calibration.first(FEWEST - 1))
    assert selected(few).bits == 8


def test_a_model_that_no_key_can_have_is_not_chosen() -> None:
    def refuse(model: IntegerModel) -> None:
        raise FormatError("too large")

    case = few_bits()
    selection = quantise_best(FloatModel(case.imported), case.calibration, "auto", require_provable=refuse)
    assert selection.bits == 8
    assert ENOUGH < 0.05


def test_many_bits_have_a_margin_where_clamping_hides_what_they_bring() -> None:
    """The widest samples are those held out."""
    generator = np.random.default_rng(1)
    values = generator.normal(size=(64, 6))
    values[held_out_indices(64)] *= 2.5
    model = network(*[(generator.normal(size=(6, 6)), "Elu")] * 3, (generator.normal(size=(6, 2)), ""))
    selection = quantise_best(FloatModel(import_proto(model)), samples(x=values), "auto")
    assert (selection.bits, selection.final.quantised.range_rule) == (12, MARGIN)
    # Where the method has no margin there is none.
    selection = quantise_best(FloatModel(import_proto(model)), samples(x=values), "auto", "max")
    assert selection.final.quantised.range_rule == MAXIMUM
