"""Reading the constants of a file, whose data may not fit what the file says of them.

Large ones stay in the files that a model keeps beside its own, and are mapped into memory.
"""

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from onnx.external_data_helper import load_external_data_for_model, uses_external_data

from deepprove_dist.errors import ModelError
from deepprove_dist.importing.rewriting.standard import ALL_TYPES

MAPPED_BYTES = 2**20
"""Smaller constants are read."""


def read_constant(tensor: onnx.TensorProto) -> npt.NDArray[Any]:
    """The values of a constant. Raises ModelError, naming it, where type, shape and data do not fit."""
    try:
        return _map(tensor) if uses_external_data(tensor) else numpy_helper.to_array(tensor)
    # The onnx package has no error of its own for this. A number that is no element type is a KeyError, a
    # type that is left undefined a TypeError, and all else a ValueError.
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"the constant '{tensor.name}' cannot be read: its data do not fit its type and its shape "
            f"{list(tensor.dims)}"
        ) from error


def load_small_constants(model: onnx.ModelProto, folder: Path) -> None:
    """Reads what a model has in files of its folder, but for the large constants of its graph.

    These refer to their file by its whole path from then on, and `read_constant` maps them. No other tensor
    refers to a file then.
    """
    outside = filter(uses_external_data, model.graph.initializer)
    mapped = [tensor for tensor in outside if _refer_to_file(tensor, folder)]
    for tensor in mapped:
        tensor.data_location = onnx.TensorProto.DEFAULT
    load_external_data_for_model(model, str(folder))
    for tensor in mapped:
        tensor.data_location = onnx.TensorProto.EXTERNAL


def outside_tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """The tensors whose data are in other files: constants of all graphs, and attributes of all nodes."""
    nodes = chain(model.graph.node, *(function.node for function in model.functions))
    return filter(uses_external_data, chain(model.graph.initializer, _tensors_of(nodes)))


def _tensors_of(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    """The tensors that nodes have as attributes, and those of the graphs inside of them."""
    for attribute in chain.from_iterable(node.attribute for node in nodes):
        yield from (attribute.t, *attribute.tensors)
        for graph in (attribute.g, *attribute.graphs):
            yield from graph.initializer
            yield from _tensors_of(graph.node)


def _refer_to_file(tensor: onnx.TensorProto, folder: Path) -> bool:
    """Lets a large tensor refer to its file by the whole path; whether that can be."""
    stated = {entry.key: entry.value for entry in tensor.external_data}
    path, offset = (folder / stated.get("location", "")).resolve(), int(stated.get("offset", 0))
    # Others are stored in other ways than numpy has them, or are no numbers.
    if tensor.data_type not in ALL_TYPES:
        return False
    length = prod(tensor.dims) * _kind(tensor).itemsize
    fits = length >= MAPPED_BYTES and int(stated.get("length", length)) == length
    fits &= path.is_relative_to(folder.resolve()) and path.stat().st_size >= offset + length
    if not fits or offset < 0:
        return False
    refer_to(tensor, path, offset, length)
    return True


def refer_to(tensor: onnx.TensorProto, path: Path, offset: int, length: int) -> None:
    """Lets a tensor say that its data are so many bytes of a file."""
    del tensor.external_data[:]
    for key, value in {"location": str(path), "offset": offset, "length": length}.items():
        tensor.external_data.add(key=key, value=str(value))


def mapped_constants(model: onnx.ModelProto) -> dict[str, npt.NDArray[Any]]:
    """The constants of a model's graph that are in files, by name; those that are not aligned are read."""
    tensors = filter(uses_external_data, model.graph.initializer)
    return {tensor.name: np.require(read_constant(tensor), requirements="A") for tensor in tensors}


def refer_within_folder(model: onnx.ModelProto) -> Path | None:
    """Lets constants that are in files refer to these from the folder that has all of them, which is given.

    None where there is no such constant.
    """
    tensors = [*filter(uses_external_data, model.graph.initializer)]
    if not tensors:
        return None
    stated = [{entry.key: entry.value for entry in tensor.external_data} for tensor in tensors]
    folder = Path(os.path.commonpath([Path(entries["location"]).parent for entries in stated]))
    for tensor, entries in zip(tensors, stated, strict=True):
        path = Path(entries["location"]).relative_to(folder)
        refer_to(tensor, path, int(entries["offset"]), int(entries["length"]))
    return folder


def with_all_data(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, or a copy of it that has what `load_small_constants` left in files."""
    mapped = mapped_constants(model)
    if not mapped:
        return model
    result = onnx.ModelProto()
    result.CopyFrom(model)
    for tensor in result.graph.initializer:
        if tensor.name in mapped:
            tensor.CopyFrom(numpy_helper.from_array(mapped[tensor.name], tensor.name))
    return result


def _map(tensor: onnx.TensorProto) -> npt.NDArray[Any]:
    stated = {entry.key: entry.value for entry in tensor.external_data}
    path, shape = Path(stated["location"]), tuple(tensor.dims)
    try:
        mapped: npt.NDArray[Any] = np.memmap(path, _kind(tensor), "r", int(stated["offset"]), shape)
        return mapped
    except OSError as error:
        raise ModelError(f"the constant '{tensor.name}' cannot be read: {error}") from error


def _kind(tensor: onnx.TensorProto) -> np.dtype[Any]:
    """Files are little-endian, as the standard says."""
    return np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type)).newbyteorder("<")
