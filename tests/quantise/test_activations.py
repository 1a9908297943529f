"""Tables of functions that are not defined everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.errors import QuantisationError
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.pointwise import IDENTITY, Function, call, without_sign
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.activations import Activation

ROOT = call(np.sqrt, IDENTITY)


def activation(function: Function) -> Activation:
    return Activation(function, 1.0, Format(Scale.of(0.5), -1000, 1000))


def test_an_undefined_argument_counts_as_the_nearest_that_is_defined() -> None:
    assert activation(ROOT).table((-3, 4)).values().tolist() == [0, 0, 0, 0, 2, 3, 3, 4]
    assert activation(call(np.sqrt, IDENTITY * -1)).table((-1, 3)).values().tolist() == [2, 0, 0, 0, 0]
    between = activation(call(np.sqrt, IDENTITY * IDENTITY + -1))
    assert between.table((-3, 3)).values().tolist() == [6, 3, 0, 0, 0, 3, 6]
    assert between.allows(between.table((-3, 3)))


def test_it_is_said_which_argument_that_is() -> None:
    assert activation(ROOT).undefined((-3, 4)) == -3
    assert activation(ROOT).undefined((0, 4)) is None


def test_a_function_without_a_value_has_no_table() -> None:
    with pytest.raises(QuantisationError, match="not defined at -5, nor at any other"):
        activation(ROOT).table((-5, -1))


def test_what_would_wrap_below_zero_is_refused() -> None:
    whole = activation(call(np.add, call(without_sign, IDENTITY), 1))
    assert whole.table((0, 2)).values().tolist() == [2, 4, 6]
    with pytest.raises(QuantisationError, match="no negative numbers"):
        whole.table((-1, 2))
