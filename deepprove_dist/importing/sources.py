"""The forms in which a user may give an ONNX model: a file's path, its bytes, or a `ModelProto`."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from deepprove_dist.choices import require_kind
from deepprove_dist.errors import ModelError
from deepprove_dist.importing.load import ALL, ImportedModel, copy_checked, import_proto, read_model
from deepprove_dist.importing.selection import ModelSelection

ModelSource = str | PathLike[str] | bytes | onnx.ModelProto
"""A file's path, its bytes, or the model in memory."""


def require_source(caller: str, source: object) -> None:
    """Raises KindError where `source` is no form of a model."""
    kinds = (str, PathLike, bytes, onnx.ModelProto)
    require_kind(caller, source, kinds, "a model: an ONNX file's path, its bytes, or an onnx.ModelProto")


def import_source(source: ModelSource, selection: ModelSelection = ALL) -> ImportedModel:
    """Imports a model in any of its forms, or the chosen part; a model in memory is not changed.

    Raises:
        KindError: for anything else.
        ModelError: for a model that is not valid, or keeps tensors in other files without a path to them.
        UnsupportedModelError: with everything in the model that is not supported.
    """
    require_source("import_source", source)
    if isinstance(source, bytes):
        source = _parse(source)
    elif not isinstance(source, onnx.ModelProto):
        return import_proto(read_model(Path(source)), selection)
    return import_proto(copy_checked(source), selection)


def _parse(data: bytes) -> onnx.ModelProto:
    try:
        return onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ModelError("the bytes are no ONNX model, or a damaged one") from error
