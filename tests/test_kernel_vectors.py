"""Operations of vectors and transcripts that hiding proofs rest on, one element at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, Pool, Transcript, bind_axis
from deepprove_dist.narrow_integers import TYPES
from tests.protocol.naive import challenges, items

seeds = st.integers(0, 2**32)


def base(seed: int, count: int) -> BaseVector:
    return BaseVector.from_array(np.random.default_rng(seed).integers(0, MODULUS, count))


@given(data=st.data(), columns=st.integers(1, 5), rows=st.integers(1, 9), seed=seeds)
def test_tails_are_the_last_rows_of_each_column(
    data: st.DataObject, columns: int, rows: int, seed: int
) -> None:
    tail = data.draw(st.integers(1, rows))
    matrix, tails = base(seed, columns * rows), base(seed + 1, columns * tail)
    expected = matrix.to_array().reshape(columns, rows).copy()
    expected[:, rows - tail :] = tails.to_array().reshape(columns, tail)
    result = matrix.with_tails(rows, tails)
    assert np.array_equal(result.to_array(), expected.reshape(-1))
    assert len(matrix) == columns * rows


@pytest.mark.parametrize(("length", "rows", "tails"), [(12, 5, 0), (12, 0, 0), (12, 4, 5), (12, 4, 15)])
def test_tails_of_other_sizes_are_refused(length: int, rows: int, tails: int) -> None:
    with pytest.raises(ValueError, match=r".+"):
        base(0, length).with_tails(rows, base(1, tails))


@given(count=st.integers(0, 20), seed=seeds)
def test_base_elements_are_elements_of_the_extension(count: int, seed: int) -> None:
    values = base(seed, count)
    assert items(ExtensionVector.of_base(values)) == [Extension(int(value)) for value in values.to_array()]


@given(
    data=st.data(),
    length=st.integers(0, 12),
    seed=seeds,
)
def test_runs_add_up_where_they_meet(data: st.DataObject, length: int, seed: int) -> None:
    expected, runs = [Extension(0)] * length, list[tuple[int, ExtensionVector]]()
    for number in range(data.draw(st.integers(0, 4))):
        first = data.draw(st.integers(0, length))
        run = challenges(seed + number, data.draw(st.integers(0, length - first)))
        runs.append((first, run))
        for index, value in enumerate(items(run)):
            expected[first + index] += value
    assert items(ExtensionVector.from_runs(length, runs)) == expected


@pytest.mark.parametrize("first", [2, 3, 4, 2**63])
def test_a_run_beyond_the_end_is_refused(first: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        ExtensionVector.from_runs(3, [(first, challenges(0, 2))])


def test_a_copy_of_a_transcript_goes_on_alone() -> None:
    first = Transcript(b"test")
    first.absorb("some", b"bytes")
    before = first.digest()
    second = first.copy()
    assert second.digest() == before
    drawn = second.challenge("challenge")
    assert first.digest() == before != second.digest()
    assert first.challenge("challenge") == drawn
    assert first.digest() == second.digest()
    first.absorb("more", b"1")
    second.absorb("more", b"2")
    assert first.digest() != second.digest()


@pytest.mark.parametrize("shape", [(1, 300, 130), (2, 20, 3), (3, 5, 4000), (400, 90, 1)])
@pytest.mark.parametrize("kind", TYPES)
def test_integers_are_bound_as_elements_are(kind: str, shape: tuple[int, int, int]) -> None:
    ends, pool, weights = np.iinfo(kind), Pool(2), challenges(1, shape[1])
    values = np.random.default_rng(7).integers(ends.min, ends.max, shape, kind, endpoint=True).reshape(-1)
    values[:2] = ends.min, ends.max
    bound = bind_axis(values, shape, weights, pool)
    assert bytes(bound) == bytes(bind_axis(BaseVector.from_array(values), shape, weights, pool))
    with pytest.raises(ValueError, match="does not fit the axis"):
        bind_axis(values[1:], shape, weights, pool)
