"""Outputs that are kept: those of exactly these inputs, and as many as there is room for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from deepprove_dist.quantise import known_outputs
from deepprove_dist.quantise.known_outputs import KnownOutputs

X = {"x": np.array([[256]], dtype=np.int16)}


@pytest.mark.parametrize(
    "other",
    [
        {"x": np.array([[0], [1]], dtype=np.int8)},
        {"x": np.array([[256]], dtype=np.uint16)},
        {"x": np.array([256], dtype=np.int16)},
        {"y": np.array([[256]], dtype=np.int16)},
        {"x": np.array([[0]], dtype=np.int8), "y": np.array([[1]], dtype=np.int8)},
    ],
    ids=["type and length", "type", "shape", "name", "two inputs"],
)
def test_other_inputs_of_the_same_bytes_are_not_known(other: dict[str, npt.NDArray[np.integer]]) -> None:
    assert b"".join(values.tobytes() for values in other.values()) == X["x"].tobytes()
    known = KnownOutputs(["out"])
    known.add(X, {"out": np.array([7.0])})
    assert known.get({"x": X["x"].copy()}, ["out"])["out"] == [7.0]
    assert not known.get(other, ["out"])


def test_inputs_are_given_with_the_outputs() -> None:
    known = KnownOutputs(["out"])
    known.add(X, {"out": np.array([7.0]), "between": np.array([1.0])})
    assert known.get(X, ["out", "x"])["x"] == [[256.0]]
    assert not known.get(X, ["out", "between"])


def test_there_is_room_for_so_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_outputs, "VALUES_KEPT", 3)
    known = KnownOutputs(["out"])
    feeds = [{"x": np.array([index])} for index in range(3)]
    for feed in feeds:
        known.add(feed, {"out": np.array([1.0, 2.0])})
    assert [bool(known.get(feed, ["out"])) for feed in feeds] == [True, False, False]
    # What is known already takes no more room.
    known.add(feeds[0], {"out": np.array([1.0, 2.0])})
    known.add({"x": np.array([9])}, {"out": np.array([5.0])})
    assert known.get({"x": np.array([9])}, ["out"])["out"] == [5.0]
