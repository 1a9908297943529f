"""Large constants inside of a file stay there, and mean what onnx reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from onnx import helper, numpy_helper
from onnx.external_data_helper import uses_external_data

from deepprove_dist.errors import ModelError
from deepprove_dist.importing.inside_data import MOST_FIELDS, load_model
from deepprove_dist.importing.load import import_model
from deepprove_dist.importing.rewriting.stored_constants import read_constant
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.samples import Samples

WIDTH = 600


def two_layers(name: str = "a") -> onnx.ModelProto:
    """Two products by large constants, a small one between them, and a name that moves all bytes."""
    generator = np.random.default_rng(0)
    large = [generator.normal(size=(WIDTH, WIDTH)).astype(np.float32) for _ in range(2)]
    nodes = [
        helper.make_node("MatMul", ["x", name], ["y"]),
        helper.make_node("Add", ["y", "b"], ["z"]),
        helper.make_node("MatMul", ["z", "c"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, WIDTH])],
        [helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, [1, WIDTH])],
        [
            numpy_helper.from_array(large[0], name),
            numpy_helper.from_array(np.ones(WIDTH, dtype=np.float32), "b"),
            numpy_helper.from_array(large[1], "c"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


@pytest.mark.parametrize("name", ["a", "aa", "aaa", "aaaa"])
def test_large_constants_stay_in_the_file(tmp_path: Path, name: str) -> None:
    source, path = two_layers(name), tmp_path / "model.onnx"
    onnx.save(source, path)
    model = load_model(path)
    assert [uses_external_data(tensor) for tensor in model.graph.initializer] == [True, False, True]
    assert model.ByteSize() < 2**14
    for tensor, expected in zip(model.graph.initializer, source.graph.initializer, strict=True):
        assert tensor.name == expected.name
        assert np.array_equal(read_constant(tensor), numpy_helper.to_array(expected))
    del model.graph.initializer[:]
    del source.graph.initializer[:]
    assert model == source


def test_a_model_with_such_constants_runs_in_floats(tmp_path: Path) -> None:
    source, path = two_layers(), tmp_path / "model.onnx"
    onnx.save(source, path)
    first, bias, second = (
        numpy_helper.to_array(tensor).astype(np.float64) for tensor in source.graph.initializer
    )
    x = np.random.default_rng(1).normal(size=(3, 1, WIDTH))
    runs = list(FloatModel(import_model(path)).run(Samples({"x": x}, None)))
    for values, sample in zip(runs, x, strict=True):
        assert np.allclose(values["out"], (sample @ first + bias) @ second, rtol=1e-3, atol=0.1)


def test_data_that_do_not_fit_their_shape_are_read_and_refused(tmp_path: Path) -> None:
    source, path = two_layers(), tmp_path / "model.onnx"
    source.graph.initializer[0].dims[0] = WIDTH - 1
    onnx.save(source, path)
    assert not uses_external_data(load_model(path).graph.initializer[0])
    with pytest.raises(ModelError, match="'a' cannot be read"):
        import_model(path)


def test_a_constant_of_very_many_fields_is_read(tmp_path: Path) -> None:
    source, path = two_layers(), tmp_path / "model.onnx"
    data = source.graph.initializer[0].SerializeToString()
    # What older writers do: each number of a list is a field, and the last name is the one that counts.
    names = b"".join(b"\x42\x01b" for _ in range(MOST_FIELDS)) + b"\x42\x01a"
    del source.graph.initializer[0]
    inside = source.graph.SerializeToString() + length_of(data + names, 0x2A)
    source.ClearField("graph")
    path.write_bytes(source.SerializeToString() + length_of(inside, 0x3A))
    model = load_model(path)
    assert {tensor.name: uses_external_data(tensor) for tensor in model.graph.initializer} == {
        "a": False,
        "b": False,
        "c": True,
    }
    expected = numpy_helper.to_array(onnx.TensorProto.FromString(data))
    (constant,) = (tensor for tensor in model.graph.initializer if tensor.name == "a")
    assert np.array_equal(read_constant(constant), expected)


def length_of(content: bytes, key: int) -> bytes:
    """A field with its key and its length in front."""
    size, varint = len(content), bytearray()
    while size > 127:
        varint.append(size & 127 | 128)
        size >>= 7
    return bytes([key, *varint, size]) + content


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_a_file_that_ends_too_early_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "model.onnx"
    data = two_layers().SerializeToString()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DecodeError):
        load_model(path)
    with pytest.raises(ModelError, match="not an ONNX model, or a damaged one"):
        import_model(path)


@pytest.mark.parametrize("byte", [0x00, 0x07, 0x80, 0xFF])
def test_bytes_that_are_no_message_are_refused(tmp_path: Path, byte: int) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(bytes([byte]) * 2**21)
    with pytest.raises(ModelError):
        import_model(path)
