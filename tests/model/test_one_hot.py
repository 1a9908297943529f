"""Rows are selected by what has at most one 1 in a row, for every input in range, and by nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import ModelError
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.system.table import Table
from tests.lowering.networks import Network
from tests.operators.proving import assert_proven_in_both_modes

SIZE, LOW, HIGH = 5, -5, 4
TABLE = {0: 1, -SIZE: 1}


def network(
    table: dict[int, int] = TABLE,
    ramp: tuple[int, ...] = (0, -1, -2, -3, -4),
    *,
    multiplier: int = 1,
    repeated: bool = True,
    offset: int = 0,
) -> IntegerModel:
    """Rows at an index; ``table`` has the values that are not 0, by distance."""
    built = Network((1,), interval=(LOW, HIGH)) if repeated else Network((SIZE,), interval=(LOW, HIGH))
    column = built.node("broadcast", ("x",), {"shape": (SIZE,)}) if repeated else "x"
    constant = built.known(np.array(ramp))
    attributes = {"multipliers": (1, multiplier), "constant": offset}
    distances = built.node("weighted_sum", (column, constant), attributes)
    low, high = built.interval(distances)
    values = [table.get(distance, 0) for distance in range(low, high + 1)]
    choice = {"shift": 0, "table": Table.from_values(low, values), "limbs": ()}
    hot = built.node("requantise", (distances,), choice)
    return built.model(built.linear("selected_rows", hot, (3, SIZE), {}))


def test_rows_are_selected_and_bounded_as_single_weights() -> None:
    model = network()
    weight, bias = (model.constants[name] for name in model.nodes[-1].inputs[1:])
    indices = np.arange(LOW, HIGH + 1)
    (output,) = IntegerRunner(model).outputs({"x": indices[:, None]}).values()
    assert np.array_equal(output, weight.T[indices] + bias)
    (tensor,) = model.outputs
    least, most = np.minimum(weight.min(axis=1), 0) + bias, np.maximum(weight.max(axis=1), 0) + bias
    assert (tensor.lo, tensor.hi) == (least.min(), most.max())
    assert_proven_in_both_modes(model, {"x": indices[:2, None]})


@pytest.mark.parametrize(
    "change",
    [
        {"table": {0: 1, -1: 1}},
        {"table": {0: 1, -4: 1}},
        {"table": {0: 2}},
        {"ramp": (0, -1, -2, -2, -4)},
        {"ramp": (0, 0, 0, 0, 0)},
        {"ramp": (0, 1, 2, 3, 4)},
        {"multiplier": 0},
        {"repeated": False},
    ],
)
def test_what_may_have_several_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ModelError, match=r"at most one 1 in a row|selected by truth values"):
        network(**change)  # type: ignore[arg-type]


@given(
    hot=st.sets(st.integers(-12, 12), max_size=4),
    step=st.integers(1, 3),
    offset=st.integers(-3, 3),
)
def test_no_input_has_two_where_rows_are_taken(hot: set[int], step: int, offset: int) -> None:
    try:
        model = network(dict.fromkeys(hot, 1), multiplier=step, offset=offset)
    except ModelError:
        return
    for index in range(LOW, HIGH + 1):
        assert sum(index + offset - step * k in hot for k in range(SIZE)) <= 1
    assert model.nodes


def test_the_usual_indices_are_taken() -> None:
    """Counted from either end, and moved by a number."""
    for offset in (0, 2):
        assert network(offset=offset).nodes[-1].operator == "selected_rows"
