"""Inputs and outputs are bound by one claim each, true of these integers and no others."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.kernels import BaseVector, Extension, Pool, Transcript
from deepprove_dist.protocol.claims.claim import Claim
from deepprove_dist.protocol.claims.layout import lay_out
from deepprove_dist.protocol.claims.public import PublicValues, bind_public, evaluate
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import Matrix, PublicTensor, System, Tensor
from tests.protocol.naive import holds, integers

shapes = st.lists(st.integers(1, 5), max_size=3).map(tuple)


def example(samples: int, first: Shape, second: Shape) -> System:
    tensors = tuple(Tensor("", (samples, *shape), Matrix.WITNESS) for shape in (first, second))
    names = (
        PublicTensor("x", 0, first, -9, 9, Scale.of(1.0)),
        PublicTensor("y", 1, second, -9, 9, Scale.of(1.0)),
    )
    return System(tensors, names[:1], names[1:], (), (), ())


systems = st.builds(example, st.integers(1, 3), shapes, shapes)


def bound(system: System, x: IntArray, y: IntArray) -> list[Claim]:
    public = PublicValues.of_arrays(system, {"x": x}, {"y": y})
    return bind_public(system, public, Transcript(b"test"), Pool(1))


@given(data=st.data(), system=systems, seed=st.integers(0, 2**32))
def test_claims_hold_for_the_public_integers_alone(data: st.DataObject, system: System, seed: int) -> None:
    layout = lay_out(system, 5)
    values = {index: integers(seed + index, tensor.shape, 9) for index, tensor in enumerate(system.tensors)}
    claims = bound(system, values[0], values[1])
    assert [holds(claim, system, layout, values) for claim in claims] == [True, True]
    wrong = data.draw(st.integers(0, 1))
    values[wrong].reshape(-1)[data.draw(st.integers(0, values[wrong].size - 1))] += 1
    assert [holds(claim, system, layout, values) for claim in claims] == [wrong == 1, wrong == 0]


def test_inputs_and_outputs_have_points_of_their_own() -> None:
    system = example(1, (4,), (4,))
    values = integers(0, (1, 4))
    first, second = bound(system, values, values)
    assert first.value != second.value


def test_a_tensor_without_axes_is_its_value() -> None:
    assert evaluate(BaseVector.from_array(np.array([5])), (), [], Pool(1)) == Extension(5)
