from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import msgspec
import numpy as np
import pytest

from deepprove_dist.errors import SamplesError
from deepprove_dist.service.sample_body import decode_inputs, encode_inputs, parse_index, read_body

SHAPES = {"x": (2, 2)}
VALUES = np.arange(12.0).reshape(3, 2, 2) / 8
LARGEST = 1 << 20


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(compressed: bool = False, **arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    save: Any = np.savez_compressed if compressed else np.savez
    save(file, **arrays)
    return file.getvalue()


JSON = json.dumps({"input_data": VALUES.reshape(3, 4).tolist()}).encode()
BODIES = {
    "application/json": JSON,
    "application/x-npy": npy(VALUES),
    "application/octet-stream": npy(VALUES.reshape(3, 4)),
    "application/x-npz": npz(x=VALUES),
    "application/zip": npz(compressed=True, x=VALUES),
    "application/msgpack": msgspec.msgpack.encode(json.loads(JSON)),
    "application/x-msgpack": encode_inputs({"x": VALUES}),
}


@pytest.mark.parametrize("media", BODIES)
def test_all_forms_say_the_same(media: str) -> None:
    inputs = read_body(BODIES[media], media, SHAPES, range(1, 3), LARGEST)
    assert list(inputs) == ["x"]
    assert np.array_equal(inputs["x"], VALUES[1:])


def test_what_a_job_keeps_is_what_was_sent() -> None:
    inputs = {"y": VALUES, "x": VALUES[:1].transpose(0, 2, 1)}
    kept = decode_inputs(encode_inputs(inputs))
    assert {name: values.tolist() for name, values in kept.items()} == {
        name: values.tolist() for name, values in inputs.items()
    }
    assert encode_inputs(kept) == encode_inputs(inputs)


BAD = {
    "another type": ("text/html", b"", "a body of the type 'text/html'"),
    "no JSON": ("application/json", b"{", "the body: not JSON"),
    "no samples": ("application/json", b"{}", "an object with the key 'input_data'"),
    "no archive": ("application/x-npz", b"PK", "the body: not an .npz file"),
    "no array": ("application/x-npy", b"", "the body: not a file that numpy saved"),
    "pickled": ("application/x-npy", npy(np.array([{}], dtype=object)), "Python objects"),
    "no MessagePack": ("application/msgpack", b"\xc1", "the body: not MessagePack"),
    "no numbers": ("application/msgpack", msgspec.msgpack.encode({"input_data": "a"}), "numbers"),
    "no arrays": ("application/msgpack", msgspec.msgpack.encode({"x": 1}), "not MessagePack of arrays"),
    "short data": (
        "application/msgpack",
        msgspec.msgpack.encode({"x": {"shape": [1, 2, 2], "data": b"12345678"}}),
        "other data than its shape",
    ),
    "negative": (
        "application/msgpack",
        msgspec.msgpack.encode({"x": {"shape": [-1, 4], "data": bytes(32)}}),
        "negative",
    ),
    "another input": ("application/msgpack", encode_inputs({"y": VALUES}), "the model's inputs are"),
    "another shape": ("application/x-npy", npy(np.zeros((3, 5))), "the model's input has"),
    "no such sample": ("application/x-npy", npy(VALUES[:1]), "there is no sample 1:3"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said(name: str) -> None:
    media, content, problem = BAD[name]
    with pytest.raises(SamplesError, match=problem) as raised:
        read_body(content, media, SHAPES, range(1, 3), LARGEST)
    assert "/tmp" not in str(raised.value)


@pytest.mark.parametrize(
    ("local", "central", "value"),
    [(4, 6, 99), (8, 10, 97)],
    ids=["a later version of the format", "a compression that is not known"],
)
def test_archives_that_zipfile_does_not_read_are_damaged_ones(local: int, central: int, value: int) -> None:
    """Fields of the two headers of a member; zipfile raises NotImplementedError for both."""
    content = bytearray(npz(x=VALUES))
    content[content.index(b"PK\x03\x04") + local] = value
    content[content.index(b"PK\x01\x02") + central] = value
    with pytest.raises(NotImplementedError), zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.open("x.npy")
    with pytest.raises(SamplesError, match=r"the body: not .*, or a damaged one"):
        read_body(bytes(content), "application/x-npz", SHAPES, range(1), LARGEST)


def test_an_archive_that_would_grow_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    content = npz(compressed=True, x=np.zeros((1 << 15, 4)))
    assert len(content) < 1 << 14
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(SamplesError, match="when decompressed"):
        read_body(content, "application/x-npz", SHAPES, range(1), LARGEST // 2)


def test_an_index_is_a_number_or_two() -> None:
    assert (parse_index("3"), parse_index("2:5")) == (range(3, 4), range(2, 5))
    for text in ("", "a", "1:", ":1", "-1", "1:2:3"):
        with pytest.raises(SamplesError, match="neither a number nor two"):
            parse_index(text)
