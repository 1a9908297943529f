"""Files of samples: every format, and every way a file can fail to fit the model."""

import json
import warnings
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import SamplesError
from deepprove_dist.samples import (
    read_samples,
)

SHAPES = {"image": (1, 1, 2, 2)}
ROWS = np.arange(12.0).reshape(3, 4)


def write(path: Path, **arrays: Any) -> Path:
    if path.suffix == ".json":
        path.write_text(json.dumps(arrays))
    elif path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        np.save(path, arrays["x"])
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "a.json",
            {"input_data": ROWS.tolist(), "output_data": [[0, 1], [1, 0], [0, 1]], "pytorch_output": []},
        ),
        ("a.json", {"input_data": ROWS.tolist(), "output_data": [1, 0, 1]}),
        ("a.json", {"input_data": ROWS.tolist(), "output_data": [[1], [0], [1]]}),
        ("a.npz", {"x": ROWS, "y": np.array([1, 0, 1])}),
        ("a.npz", {"image": ROWS.reshape(3, 2, 2), "y": np.array([1.0, 0.0, 1.0])}),
        ("a.npz", {"x": ROWS.reshape(3, 1, 1, 2, 2).astype(np.float32), "y": [1, 0, 1]}),
        ("a.npz", {"x": ROWS.astype(np.uint8), "y": np.array([[0, 1], [1, 0], [0, 1]])}),
    ],
)
def test_formats(tmp_path: Path, name: str, content: dict[str, Any]) -> None:
    samples = read_samples(write(tmp_path / name, **content), SHAPES)
    assert (samples.inputs["image"] == ROWS.reshape(3, 1, 1, 2, 2)).all()
    assert samples.labels is not None
    assert samples.labels.tolist() == [1, 0, 1]
    assert len(samples) == 3
    one = samples.select(1)
    assert (len(one), one.inputs["image"].ravel().tolist()) == (1, [4, 5, 6, 7])


def test_labels_are_optional(tmp_path: Path) -> None:
    for name in ("a.npy", "a.npz"):
        assert read_samples(write(tmp_path / name, x=ROWS), SHAPES).labels is None


def test_several_inputs_by_name(tmp_path: Path) -> None:
    shapes = {"x": (1, 4), "y": (1, 2)}
    path = write(tmp_path / "a.npz", x=ROWS, y=np.ones((3, 2)))
    samples = read_samples(path, shapes)
    assert samples.inputs["y"].shape == (3, 1, 2)
    assert samples.labels is None
    for other in (write(tmp_path / "a.npy", x=ROWS), write(tmp_path / "a.json", input_data=ROWS.tolist())):
        with pytest.raises(SamplesError, match="one input"):
            read_samples(other, shapes)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.json", {"data": []}, "input_data"),
        ("a.json", {"input_data": [[1, 2], [3]]}, "inhomogeneous|differ in length"),
        (
            "a.json",
            {"input_data": [[1, 2, 3]]},
            r"'input_data' has rows of shape \(3,\).*\(1, 1, 2, 2\), or 4 flat",
        ),
        ("a.json", {"input_data": []}, "no samples"),
        ("a.json", {"input_data": 3}, "no samples"),
        ("a.json", {"input_data": [["1", "2", "3", "4"]]}, "not numbers"),
        ("a.json", {"input_data": [[1, 2, 3, None]]}, "not numbers"),
        ("a.json", {"input_data": [[10**400, 2, 3, 4]]}, "not numbers"),
        ("a.json", {"input_data": [[1, 2, 3, float("nan")]]}, "sample 0, flat index 3"),
        ("a.npz", {"x": ROWS.reshape(2, 6)}, "rows of shape"),
        ("a.npz", {"z": ROWS}, r"holds \['z'\]; the model's inputs are \['image'\]"),
        ("a.npz", {"x": ROWS, "z": ROWS}, "holds"),
        ("a.npz", {"x": np.array([[{}]], dtype=object)}, "pickle"),
        ("a.npz", {"x": ROWS + 1j}, "not numbers"),
        ("a.npy", {"x": np.array([[1, 2, 3, np.inf]])}, "infinite"),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, name: str, content: dict[str, Any], text: str) -> None:
    path = write(tmp_path / name, **content)
    with pytest.raises(SamplesError, match=text) as caught:
        read_samples(path, SHAPES)
    assert str(path) in str(caught.value)


def write_targets(folder: Path, name: str, targets: list[Any]) -> Path:
    if name == "a.npz":
        return write(folder / name, x=ROWS, y=targets)
    return write(folder / name, input_data=ROWS.tolist(), output_data=targets)


@pytest.mark.parametrize("targets", [[0.25, 0.75, 2.0], [[0.25, 0.75]] * 3])
@pytest.mark.parametrize("name", ["a.npz", "a.json"])
def test_targets_that_are_no_labels_matter_to_score_only(
    tmp_path: Path, name: str, targets: list[Any]
) -> None:
    path = write_targets(tmp_path, name, targets)
    ignored, scored = read_samples(path, SHAPES), read_samples(path, SHAPES, scored=True)
    assert (ignored.labels, ignored.targets, scored.labels) == (None, None, None)
    assert scored.targets is not None
    assert scored.targets.tolist() == np.reshape(targets, (3, -1)).tolist()
    last = scored.select(2).targets
    assert last is not None
    assert last.tolist() == scored.targets[2:].tolist()


@pytest.mark.parametrize(
    ("targets", "text"),
    [
        ([0.0, 1.0, np.nan], "sample 2, flat index 0: the value is NaN"),
        ([0, 1], "for 3 samples"),
        (["cat", "dog", "cat"], "not numbers"),
    ],
)
@pytest.mark.parametrize("name", ["a.npz", "a.json"])
def test_what_is_neither_labels_nor_targets_is_refused_to_score_only(
    tmp_path: Path, name: str, targets: list[Any], text: str
) -> None:
    path = write_targets(tmp_path, name, targets)
    assert read_samples(path, SHAPES).labels is None
    with pytest.raises(SamplesError, match=text) as caught:
        read_samples(path, SHAPES, scored=True)
    assert str(path) in str(caught.value)


def test_samples_to_score_need_no_labels(tmp_path: Path) -> None:
    samples = read_samples(write(tmp_path / "a.npz", x=ROWS), SHAPES, scored=True)
    assert (samples.labels, samples.targets) == (None, None)


@pytest.mark.parametrize("name", ["a.json", "a.npz", "a.npy", "a.txt"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04junk", b"\x93NUMPY", b"[" * 100_000, b"\xff", None])
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SamplesError, match=r"a\."):
        read_samples(path, SHAPES)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.json", b"", "not JSON: it is empty"),
        ("a.json", b" \n", "not JSON: it is empty"),
        ("a.json", b'{"input_data": [1,', "not JSON: .* at line 1, column"),
        ("a.json", b"\xff\xfe", "not UTF-8"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.npz", b"", "not an .npz file, or a damaged one"),
        ("a.npz", b"x = 3", "not an .npz file, or a damaged one"),
        ("a.npy", b"x = 3", "not a file that numpy saved, or a damaged one"),
        ("a.npz", None, "No such file"),
    ],
)
def test_sentences_for_unreadable_files(tmp_path: Path, name: str, content: bytes | None, text: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SamplesError, match=text) as caught:
        read_samples(path, SHAPES)
    assert "pickle" not in str(caught.value)


@settings(max_examples=100)
@given(data=st.data(), suffix=st.sampled_from([".npz", ".npy"]))
def test_damaged_arrays_are_sentences(data: st.DataObject, suffix: str) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / f"a{suffix}", x=ROWS)
        content = bytearray(path.read_bytes())
        for index in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
            content[index] = data.draw(st.integers(0, 255))
        path.write_bytes(bytes(content[: data.draw(st.integers(1, len(content)))]))
        # numpy warns of headers that it has to read leniently.
        with warnings.catch_warnings(), suppress(SamplesError):
            warnings.simplefilter("ignore", UserWarning)
            read_samples(path, SHAPES)
