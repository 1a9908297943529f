"""Vectors of the kernels: slices, joined vectors, digests, coordinates, and streams of random values."""

from __future__ import annotations

import pytest

from deepprove_dist.kernels import (
    BaseVector,
    Extension,
    ExtensionVector,
    Pool,
    derive_seed,
    digest,
    random_values,
)

SEED = bytes(range(32))
VALUES = random_values(SEED, "rows", 0, 1000)


@pytest.mark.parametrize("piece", [slice(3, 7), slice(5, None), slice(-5, None), slice(7, 3), slice(0, 9999)])
def test_a_slice_is_that_of_the_bytes(piece: slice) -> None:
    start, stop, _ = piece.indices(len(VALUES))
    assert bytes(VALUES[piece]) == bytes(VALUES)[4 * start : 4 * max(start, stop)]


def test_a_slice_has_no_steps() -> None:
    with pytest.raises(ValueError, match="no steps"):
        VALUES[::2]


def test_joined_slices_are_the_whole() -> None:
    joined = BaseVector.concatenated([VALUES[:3], VALUES[3:3], VALUES[3:]])
    assert bytes(joined) == bytes(VALUES)
    assert len(BaseVector.concatenated([])) == 0


def test_a_digest_is_that_of_the_bytes() -> None:
    assert VALUES.digest("context") == digest("context", bytes(VALUES))
    assert VALUES.digest("context") != VALUES.digest("other")


def test_five_coordinates_are_an_element() -> None:
    elements = ExtensionVector.from_coordinates(VALUES)
    assert bytes(elements) == bytes(VALUES)
    with pytest.raises(ValueError, match="five coordinates"):
        ExtensionVector.from_coordinates(VALUES[:4])


def test_elements_are_taken_scaled_and_subtracted_one_by_one() -> None:
    elements = ExtensionVector.from_coordinates(VALUES)[:4]
    other, factor = ExtensionVector([5, 6, 7, 8]), Extension(9)
    assert elements.take([3, 3, 0]) == ExtensionVector([elements[3], elements[3], elements[0]])
    assert elements.scaled(factor) == ExtensionVector([elements[k] * factor for k in range(4)])
    assert elements.minus(other) == ExtensionVector([elements[k] - other[k] for k in range(4)])
    with pytest.raises(IndexError):
        elements.take([4])
    with pytest.raises(ValueError, match="no difference"):
        elements.minus(other[:3])


def test_any_range_of_a_stream_is_a_slice_of_the_whole() -> None:
    whole, pool = random_values(SEED, "s", 0, 20_000), Pool(2)
    for first, count in ((0, 0), (4095, 2), (4096, 9000), (19_999, 1)):
        piece = random_values(SEED, "s", first, count, pool)
        assert bytes(piece) == bytes(whole[first : first + count])


def test_seeds_have_32_bytes() -> None:
    assert len(derive_seed(SEED, [("a", b"b")])) == 32
    assert derive_seed(SEED, [("a", b"b")]) != derive_seed(SEED, [("a", b""), ("", b"b")])
    with pytest.raises(ValueError, match="32 bytes"):
        derive_seed(SEED[1:], [])
    with pytest.raises(ValueError, match="32 bytes"):
        random_values(SEED[1:], "s", 0, 1)


def test_a_vector_yields_its_elements() -> None:
    vector = ExtensionVector([3, 5])
    assert list(vector) == [Extension(3), Extension(5)] == [vector[0], vector[1]]
    assert not list(ExtensionVector([]))
