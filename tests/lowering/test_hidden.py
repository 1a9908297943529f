"""Hidden inputs and outputs are lowered to a tensor of their own, and a lookup of its exact range."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.errors import ChoiceError
from deepprove_dist.lowering.builder import Lowered
from deepprove_dist.model.hidden_names import HiddenNames
from deepprove_dist.model.inference import infer
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.system.check import proven_ranges
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.protocol.system.table import Interval
from tests.lowering.rearranged import NETWORKS
from tests.model.small_model import small_model


def ranges_of(lowered: Lowered) -> dict[str, Interval]:
    ranges = proven_ranges(lowered.system)
    return {public.name: ranges[public.tensor] for public in lowered.system.hidden}


def test_each_range_is_exact() -> None:
    hidden = HiddenNames(("x",), ("y", "h"))
    assert ranges_of(lower(small_model(), hidden=hidden)) == {"x": (-8, 7), "y": (-30, 4575), "h": (0, 15)}


def test_what_is_looked_up_exactly_is_looked_up_once() -> None:
    plain, hidden = (lower(small_model(), hidden=HiddenNames((), names)).system for names in ((), ("h",)))
    assert hidden.lookups == plain.lookups
    assert [table.size for table in hidden.tables] == [table.size for table in plain.tables]
    assert len(hidden.relations) == len(plain.relations) + 1


def test_an_input_has_one_more_lookup() -> None:
    plain, hidden = (lower(small_model(), hidden=HiddenNames(names)).system for names in ((), ("x",)))
    assert len(hidden.lookups) == len(plain.lookups) + 1
    (table,) = (table for table in hidden.tables if (table.first, table.size) == (-8, 16))
    assert table.function is None


def test_limbs_from_both_ends_add_up() -> None:
    """A long range: its top limb alone would leave 4096 + 4095 - 4605 values beyond its end."""
    lowered = lower(small_model(), hidden=HiddenNames((), ("y",)))
    trace = infer(small_model(), {"x": np.array([[[[7, -8], [7, 7]]]])})
    tensors = {tensor.name: index for index, tensor in enumerate(lowered.system.tensors)}
    y = trace.outputs["y"].reshape(-1)

    def limbs(side: str) -> np.ndarray:
        low, high = (
            lowered.sources[tensors[f"y.{side}.{offset}"]].read(trace.values, trace.columns).reshape(-1)
            for offset in (0, 12)
        )
        assert low.min() >= 0
        assert low.max() < 4096
        result: np.ndarray = low + 4096 * high
        return result

    np.testing.assert_array_equal(limbs("from") - 30, y)
    np.testing.assert_array_equal(4575 - limbs("to"), y)


def test_rounded_ranges_of_outputs_tell_less() -> None:
    exact = lower(small_model(), hidden=HiddenNames(("x",), ("y",)))
    rounded = lower(small_model(), hidden=HiddenNames(("x",), ("y",)), rounded=True)
    assert ranges_of(rounded) == {"x": (-8, 7), "y": (-32, 5120)}
    assert ranges_of(exact)["y"] == (-30, 4575)
    assert [(p.lo, p.hi) for p in rounded.system.hidden] == [(-8, 7), (-32, 5120)]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_hides_all_its_inputs_and_outputs(name: str) -> None:
    model = NETWORKS[name]()
    hidden = HiddenNames(tuple(t.name for t in model.inputs), tuple(t.name for t in model.outputs))
    system = lower(model, hidden=hidden).system
    assert HiddenNames.of(system) == hidden
    ranges = proven_ranges(system)
    for public in system.hidden:
        tensor = system.tensors[public.tensor]
        assert tensor.matrix is Matrix.HIDDEN
        # Not the axes that the model happens to cut it into.
        assert np.prod(tensor.shape[1:], dtype=int) == np.prod(public.shape, dtype=int)
        assert ranges[public.tensor][0] >= public.lo
        assert ranges[public.tensor][1] <= public.hi


def test_a_commitment_does_not_depend_on_how_a_model_cuts_its_input() -> None:
    system = lower(small_model(), hidden=HiddenNames(("x",))).system
    (x,) = system.hidden
    assert system.tensors[x.tensor].shape == (0, 2, 2)


@pytest.mark.parametrize(
    ("hidden", "message"),
    [
        (HiddenNames(("y",)), "no input 'y'"),
        (HiddenNames((), ("x",)), "no output 'x'"),
    ],
)
def test_names_that_the_model_does_not_have(hidden: HiddenNames, message: str) -> None:
    with pytest.raises(ChoiceError, match=message):
        lower(small_model(), hidden=hidden)


def test_names_are_few_and_distinct() -> None:
    with pytest.raises(ChoiceError, match="at most 16"):
        HiddenNames(tuple(map(str, range(17))))
    with pytest.raises(ChoiceError, match="once"):
        HiddenNames(("x",), ("x",))
