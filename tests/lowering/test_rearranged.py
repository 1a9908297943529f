"""Any permutation of elements is provable, of inputs, tensors, accumulators and outputs."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.arrays import Shape
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.kernels import Pool
from deepprove_dist.lowering.axes import MAX_FINER_AXES, coarser_axes, cuts, finer_axes, grouped
from deepprove_dist.model.lower import lower
from deepprove_dist.prover import Prover
from deepprove_dist.setup_options import Options
from tests.execution.shared_keys import Example
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.lowering.rearranged import NETWORKS, shuffled
from tests.lowering.test_convolutions import prove_and_verify


@pytest.mark.parametrize("name", NETWORKS)
def test_relations_hold_over_the_integers(name: str) -> None:
    model = NETWORKS[name]()
    shape = (2, *model.inputs[0].shape)
    for x in (np.random.default_rng(1).integers(-128, 128, shape), np.full(shape, -128), np.full(shape, 127)):
        check_inference(model, {"x": x})


@pytest.mark.parametrize("name", NETWORKS)
def test_proofs_verify(name: str) -> None:
    prove_and_verify(NETWORKS[name](), Options())


@pytest.mark.parametrize("name", ["channel shuffle", "pixel shuffle", "accumulators without common axes"])
def test_batches_and_public_weights(name: str) -> None:
    prove_and_verify(NETWORKS[name](), Options(weights="public", max_batch=3))


@pytest.mark.parametrize("name", ["channel shuffle of an accumulator", "patches", "sum of other axes"])
def test_workers_make_the_same_bytes(name: str, tmp_path: Path) -> None:
    key = Prover.generate(NETWORKS[name](), Options(max_batch=2), Pool(1))
    integers = np.random.default_rng(2).integers(-128, 128, (2, *key.model.inputs[0].shape))
    x = integers.astype(np.float64) * key.model.inputs[0].scale
    example = Example.of(key, tmp_path, x)
    assert example.prove(example.shared(InProcessExecutor(2, create_worker))) == example.proof


def committed(name: str) -> list[str]:
    """The witness's tensors but those of requantisations and tables."""
    system = lower(NETWORKS[name]()).system
    known = {public.tensor for public in system.public}
    return [
        tensor.name
        for index, tensor in enumerate(system.tensors)
        if tensor.matrix.value == "witness"
        and index not in known
        and not tensor.name.startswith(("requantise", "multiplicities"))
    ]


def test_views_commit_nothing() -> None:
    assert committed("places of an accumulator") == []
    assert committed("patches") == []
    # What windows slide over is stored, here the groups' channels, if it is no tensor yet.
    assert committed("channel shuffle") == ["conv7 input"]
    assert committed("window over joined axes") == ["conv1 input"]


def test_an_accumulator_is_committed_in_limbs_where_nothing_else_is_left() -> None:
    names = committed("accumulators without common axes")
    assert names
    assert all(" input." in name for name in names)


def test_too_many_axes_are_made_one_again() -> None:
    """Bits in another order, thrice: each is an axis of its own at first."""
    network = Network((1, 1 << 13))
    x = shuffled(network, "x", (2,) * 13, tuple(reversed(range(13))), (1 << 13,))
    model = network.model(network.node("pad", (x,), {"pads": (0, 0, 0, 1)}))
    check_inference(model, {"x": np.random.default_rng(5).integers(-128, 128, (1, 1, 1 << 13))})


sizes = st.lists(st.integers(1, 4), max_size=5).map(tuple)


@given(axes=sizes, other=sizes)
def test_finer_axes_are_cuts_of_both(axes: Shape, other: Shape) -> None:
    first, second = (*axes, prod(other)), (*other, prod(axes))
    finer, coarser = finer_axes(first, second), coarser_axes(first, second)
    assert prod(coarser) == prod(first)
    assert 1 not in coarser
    for shape in (first, second):
        # Axes, joined again: each has its elements' order.
        for source, into in ((coarser, shape), *([] if finer is None else [(shape, finer)])):
            groups = cuts(source, into)
            assert [prod(into[k] for k in group) for group in groups] == list(source)
            assert [k for group in groups for k in group] == sorted({k for group in groups for k in group})


def test_which_axes_have_a_common_cut() -> None:
    assert finer_axes((6,), (2, 3)) == (2, 3)
    assert finer_axes((3, 4), (6, 2)) == (3, 2, 2)
    assert finer_axes((2, 3), (3, 2)) is None
    assert finer_axes((6, 1), (1, 2, 3)) == (1, 2, 3, 1)
    assert finer_axes((), (1,)) == (1,)
    assert finer_axes((2,) * MAX_FINER_AXES) is not None
    assert finer_axes((2,) * (MAX_FINER_AXES + 1)) is None
    assert coarser_axes((2, 3, 4), (3, 2, 4)) == (6, 4)
    assert coarser_axes((2, 3), (2, 3)) == (2, 3)
    assert cuts((6, 1), (2, 1, 3, 1)) == [(0, 2), (3,)]


def test_a_shape_without_dimensions_has_no_use_for_axes() -> None:
    assert grouped((1, 1), ()) == ()
    network = Network(())
    x = network.node("reshape", ("x",), {"shape": (1, 1)})
    x = network.node("transpose", (network.node("reshape", (x,), {"shape": ()}),), {"permutation": ()})
    check_inference(network.model(x), {"x": np.array([5, -3])})
