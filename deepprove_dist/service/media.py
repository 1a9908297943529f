"""The types of the bodies that the service takes."""

from __future__ import annotations

from pathlib import Path

from deepprove_dist.errors import SamplesError

SUFFIXES = {
    "application/json": ".json",
    "application/x-npz": ".npz",
    "application/zip": ".npz",
    "application/x-npy": ".npy",
    "application/octet-stream": ".npy",
}
"""The file that a body of a type is."""

MESSAGEPACK = ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")


def media_type(path: Path) -> str:
    """The type of a file of samples. Raises SamplesError for other files."""
    for name, suffix in SUFFIXES.items():
        if path.suffix == suffix:
            return name
    raise SamplesError(f"{path}: samples are .json, .npz or .npy files")
