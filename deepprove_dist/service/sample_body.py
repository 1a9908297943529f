"""Samples in the body of a request, and as a job keeps them.

A body is a file of samples as `prove --input` reads it: JSON, .npz or .npy. MessagePack has the object of the
JSON form. Alternatively it has an array for each input by name: {"shape": [...], "data": bytes of float64,
little endian}.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import SamplesError
from deepprove_dist.samples import Samples, read_samples
from deepprove_dist.service.media import MESSAGEPACK, SUFFIXES

_DTYPE = "<f8"
_BODY = "the body"


def read_body(
    content: bytes, media: str, shapes: Mapping[str, Shape], index: int | range, largest: int
) -> dict[str, FloatArray]:
    """The samples at `index` of a body: float64 [samples, *shape] by input name.

    Raises SamplesError where the body cannot be read, does not fit, or is longer than `largest` bytes when
    decompressed.
    """
    if media in MESSAGEPACK:
        samples = _read_messagepack(content, shapes)
    else:
        suffix = SUFFIXES.get(media)
        if suffix is None:
            raise SamplesError(
                f"a body of the type {media!r}; there are {', '.join((*SUFFIXES, *MESSAGEPACK))}"
            )
        if suffix == ".npz":
            _require_size(content, largest)
        samples = _read_file(content, suffix, shapes)
    return dict(samples.select(index).inputs)


def encode_inputs(inputs: Mapping[str, FloatArray]) -> bytes:
    """Samples as a job keeps them."""
    arrays = {
        name: {"shape": list(array.shape), "data": np.ascontiguousarray(array, _DTYPE).tobytes()}
        for name, array in sorted(inputs.items())
    }
    return msgspec.msgpack.encode(arrays)


def decode_inputs(content: bytes) -> dict[str, FloatArray]:
    """What `encode_inputs` encoded. Raises SamplesError for other bytes."""
    try:
        arrays = msgspec.msgpack.decode(content, type=dict[str, _Array])
    except msgspec.MsgspecError as error:
        raise SamplesError(f"{_BODY}: not MessagePack of arrays: {error}") from error
    return {name: array.values(name) for name, array in arrays.items()}


class _Array(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shape: tuple[int, ...]
    data: bytes

    def values(self, name: str) -> FloatArray:
        """The array. Raises SamplesError where shape and data differ."""
        try:
            values = np.frombuffer(self.data, _DTYPE).reshape(self.shape).astype(np.float64)
        except ValueError as error:
            raise SamplesError(f"{_BODY}: '{name}' has other data than its shape {self.shape}") from error
        if any(size < 0 for size in self.shape):
            raise SamplesError(f"{_BODY}: '{name}' has a shape with a negative size")
        return values


def _read_messagepack(content: bytes, shapes: Mapping[str, Shape]) -> Samples:
    try:
        value: Any = msgspec.msgpack.decode(content)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise SamplesError(f"{_BODY}: not MessagePack: {error}") from error
    if isinstance(value, dict) and "input_data" in value:
        # The same rules as for JSON, and the same messages.
        try:
            return _read_file(msgspec.json.encode(value), ".json", shapes)
        except (TypeError, msgspec.MsgspecError) as error:
            raise SamplesError(f"{_BODY}: 'input_data' has no numbers only") from error
    return Samples.from_arrays(decode_inputs(content), shapes)


def _read_file(content: bytes, suffix: str, shapes: Mapping[str, Shape]) -> Samples:
    # Readers take a path: numpy maps what it reads, and errors name it.
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(content)
        file.flush()
        try:
            return read_samples(Path(file.name), shapes)
        except SamplesError as error:
            raise SamplesError(str(error).replace(file.name, _BODY)) from error


def _require_size(content: bytes, largest: int) -> None:
    """Raises SamplesError for an archive that would grow beyond the limit: it says so itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            total = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        # The last one is what zipfile raises for an archive of a later version of the format than it reads.
        raise SamplesError(f"{_BODY}: not an .npz file, or a damaged one") from error
    if total > largest:
        raise SamplesError(f"{_BODY} has {total:,} bytes when decompressed; the service takes {largest:,}")


def parse_index(text: str) -> range:
    """A sample, "3", or several in a row, "0:16". Raises SamplesError."""
    first, colon, end = text.partition(":")
    if not first.isdecimal() or (colon and not end.isdecimal()):
        raise SamplesError(f"index {text!r} is neither a number nor two with a colon between them")
    return range(int(first), int(end) if colon else int(first) + 1)
