"""Analysis, inference and file of integer models: exact, strict, and free of ONNX."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import InputError, InputRangeError, SamplesError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.model.file import digest, dump, load
from deepprove_dist.model.inference import infer
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.validate import analyse
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.scale import Scale
from tests.attacks.plain_pieces import packed
from tests.model.small_model import RELU, small_model

MODEL = small_model()
FILE = dump(MODEL)


def test_analysis_gives_shapes_and_intervals() -> None:
    analysis = analyse(MODEL)
    assert analysis.shapes["acc"] == (1, 3)
    assert analysis.intervals["acc"] == (-800 - 21 - 16 - 8 + 7, 700 + 24 + 14 + 7 + 7)
    assert analysis.intervals["h"] == (0, 15)


@given(st.lists(st.integers(-8, 7), min_size=4, max_size=4))
def test_inference_is_exact(values: list[int]) -> None:
    trace = infer(MODEL, {"x": np.array(values).reshape(1, 1, 2, 2)})
    w1, b1, w2 = (MODEL.constants[name].tolist() for name in ("w1", "b1", "w2"))
    hidden = []
    for row, bias in zip(w1, b1, strict=True):
        accumulator = sum(w * x for w, x in zip(row, values, strict=True)) + bias
        hidden.append(min(max((accumulator + 8) // 16, 0), 15))
    assert trace.outputs["h"].tolist() == [[hidden]]
    assert trace.outputs["y"].tolist() == [[[sum(w * h for w, h in zip(r, hidden, strict=True)) for r in w2]]]
    assert set(trace.columns) == {("h", "q"), ("h", "r0"), ("h", "r1")}


def test_samples_of_a_batch_are_independent() -> None:
    x = np.random.default_rng(0).integers(-8, 8, (5, 1, 2, 2))
    together = infer(MODEL, {"x": x})
    for index in range(5):
        alone = infer(MODEL, {"x": x[index : index + 1]})
        for name, value in alone.values.items():
            assert (together.values[name][index] == value[0]).all()


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ({"x": np.full((1, 1, 2, 2), 8)}, InputRangeError),
        ({"x": np.full((1, 1, 2, 2), -9)}, InputRangeError),
        ({"x": np.full((1, 1, 2, 2), 2**64 - 1, dtype=np.uint64)}, InputRangeError),
        ({"x": np.zeros((1, 1, 2, 2))}, SamplesError),
        ({"x": np.zeros((1, 2, 2), dtype=np.int64)}, SamplesError),
        ({"x": np.zeros((0, 1, 2, 2), dtype=np.int64)}, SamplesError),
        ({}, SamplesError),
        ({"x": np.zeros((1, 1, 2, 2), dtype=np.int64), "z": np.zeros((1, 1), dtype=np.int64)}, SamplesError),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        infer(MODEL, inputs)


def changed(position: int, **changes: Any) -> IntegerModel:
    nodes = list(MODEL.nodes)
    nodes[position] = replace(nodes[position], **changes)
    return replace(MODEL, nodes=tuple(nodes))


def with_output(**changes: Any) -> IntegerModel:
    return replace(MODEL, outputs=(replace(MODEL.outputs[0], **changes),))


def with_input(**changes: Any) -> IntegerModel:
    return replace(MODEL, inputs=(replace(MODEL.inputs[0], **changes),))


BROKEN = [
    changed(1, operator="conv"),
    changed(1, inputs=("nowhere", "w1", "b1")),
    changed(1, inputs=("flat", "flat")),
    changed(1, output="x"),
    changed(2, attributes={"shift": 4, "table": RELU, "limbs": (4,), "extra": 1}),
    changed(2, attributes={"shift": 2, "table": RELU, "limbs": (2,)}),
    changed(2, attributes={"shift": True, "table": RELU, "limbs": (1,)}),
    replace(MODEL, nodes=MODEL.nodes[::-1]),
    replace(MODEL, constants={**MODEL.constants, "unused": np.ones(1, dtype=np.int64)}),
    replace(MODEL, constants={**MODEL.constants, "w2": MODEL.constants["w2"].astype(np.uint8)}),
    replace(MODEL, constants={**MODEL.constants, "w2": np.full((2, 3), LARGEST_SIGNED + 1)}),
    replace(MODEL, constants={**MODEL.constants, "w2": np.full((2, 3), 2**26)}),
    replace(MODEL, inputs=()),
    replace(MODEL, outputs=()),
    replace(MODEL, outputs=(MODEL.outputs[0], MODEL.outputs[0])),
    replace(MODEL, outputs=(ModelTensor("w1", (3, 4), -20, 100, Scale.of(1.0)),)),
    with_output(hi=4576),
    with_output(shape=(2,)),
    with_output(name="nothing"),
    with_output(scale=Scale.of(0.0)),
    with_output(scale=Scale.of(float("nan"))),
    with_output(scale=Scale((1, 3), (1.0, 2.0, 3.0))),
    with_output(scale=Scale((1, 2), (1.0,))),
    with_input(lo=8),
    with_input(hi=2**40),
    with_input(hi=2000),
    with_input(shape=(1, 2, 0)),
    with_input(shape=(1,) * 40 + (2,)),
    with_input(shape=(2**20, 2**20)),
]


@pytest.mark.parametrize("model", BROKEN)
def test_broken_models_are_refused(model: IntegerModel) -> None:
    with pytest.raises(InputError):
        analyse(model)


def test_file_round_trip() -> None:
    loaded = load(FILE)
    assert dump(loaded) == FILE
    assert loaded.formats == MODEL.formats
    assert digest(loaded) == digest(MODEL)
    assert (loaded.inputs, loaded.outputs, loaded.nodes) == (MODEL.inputs, MODEL.outputs, MODEL.nodes)
    assert all((loaded.constants[name] == MODEL.constants[name]).all() for name in MODEL.constants)


def test_file_does_not_depend_on_the_order_of_mappings() -> None:
    nodes = tuple(replace(n, attributes=dict(reversed(list(n.attributes.items())))) for n in MODEL.nodes)
    model = replace(MODEL, constants=dict(reversed(list(MODEL.constants.items()))), nodes=nodes)
    assert dump(model) == FILE


def test_digest_covers_every_part() -> None:
    weights = MODEL.constants["w2"].copy()
    weights[1, 2] += 1
    variants = [
        replace(MODEL, constants={**MODEL.constants, "w2": weights}),
        with_input(scale=Scale.of(0.5)),
        with_input(scale=Scale((1, 1, 2), (0.5, 0.25))),
        replace(MODEL, formats={"h": Format(Scale.of(2.0), 0, 15)}),
        changed(0, name="other"),
        changed(2, attributes={"shift": 4, "table": RELU, "limbs": (1, 3)}),
        MODEL,
    ]
    assert len({digest(variant) for variant in variants}) == len(variants)


def edited(*path: Any, value: Any) -> bytes:
    content = msgpack.unpackb(FILE)
    parent = content
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    packed: bytes = msgpack.packb(content)
    return packed


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x91" * 100_000,
        msgpack.packb({"format": "other"}),
        FILE + b"\x00",
        FILE[:-1],
        edited("version", value=1),
        edited("version", value=True),
        edited("more", value=1),
        edited("inputs", 0, "lo", value=-8.0),
        edited("inputs", 0, "scale", value=1),
        edited("inputs", 0, "scale", value=[[1, 1, 2], [1.0, 1.0]]),
        edited("inputs", 0, "scale", value=[[1, 3, 1], [1.0, 2.0, 3.0]]),
        edited("inputs", 0, "scale", value=[[1, -1, 2], [1.0, 2.0]]),
        edited("inputs", 0, "scale", value=[[1, 1, 2], [1.0, -2.0]]),
        edited("formats", value=[["nothing", 1.0, 0, 1]]),
        edited("formats", value=[["h", 0.0, 0, 1]]),
        edited("formats", value=[["h", 1.0, 0, 1.0]]),
        edited("inputs", 0, "name", value=b"x"),
        edited("constants", 0, 1, value="i2"),
        edited("constants", 0, 1, value="f8"),
        edited("constants", 0, 2, value=[-3]),
        edited("constants", 0, 2, value=[2**60, 2**60]),
        edited("constants", 0, 2, value=[*MODEL.constants["b1"].shape, *[1] * 70]),
        edited("constants", 0, 3, value=b""),
        edited("constants", 0, 0, value="w1"),
        edited("nodes", 2, "attributes", "shift", value=None),
        edited("nodes", 2, "attributes", "shift", value=2**63),
        edited("nodes", 2, "attributes", "table", "first", value=2**40),
        edited("nodes", 2, "attributes", "table", "pieces", value=[2, 0, 0]),
        edited("nodes", 2, "attributes", "table", "pieces", value=b""),
        edited("nodes", 2, "attributes", "table", "pieces", value=packed((7, 0, 0), (7, 0, 0))),
        edited("nodes", 0, "attributes", "shape", value=[1, [4]]),
        edited("nodes", 1, "inputs", value="flat"),
    ],
)
def test_files_that_dump_does_not_write_are_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        load(data)


def test_non_canonical_encodings_are_refused() -> None:
    content = msgpack.unpackb(FILE)
    reordered = dict(reversed(content.items()))
    constants = {**content, "constants": content["constants"][::-1]}
    twice = {**content, "constants": [content["constants"][0], *content["constants"]]}
    (name, code, shape, values), *others = content["constants"]
    wide = [name, "i8", shape, np.frombuffer(values, f"<{code}").astype("<i8").tobytes()]
    wider = {**content, "constants": [wide, *others]}
    nodes = [{**node, "attributes": dict(reversed(node["attributes"].items()))} for node in content["nodes"]]
    assert any(len(node["attributes"]) > 1 for node in nodes)
    for other in (reordered, constants, twice, wider, {**content, "nodes": nodes}):
        with pytest.raises(InputError):
            load(msgpack.packb(other))
    with pytest.raises(InputError):
        load(msgpack.packb(content, use_single_float=True))


@settings(max_examples=300)
@given(data=st.data())
def test_altered_files_load_as_something_else_or_not_at_all(data: st.DataObject) -> None:
    altered = bytearray(FILE)
    for _ in range(data.draw(st.integers(1, 3))):
        altered[data.draw(st.integers(0, len(FILE) - 1))] = data.draw(st.integers(0, 255))
    try:
        model = load(bytes(altered))
    except InputError:
        return
    assert dump(model) == bytes(altered)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        load(data)


def test_models_run_without_onnx() -> None:
    program = (
        "import sys, deepprove_dist.model.file, deepprove_dist.model.inference\n"
        "sys.exit(any(name.partition('.')[0] in ('onnx', 'onnxruntime', 'ray') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_view_may_be_public() -> None:
    tensor = ModelTensor("x", (4,), -3, 3, Scale.of(1.0))
    view = Node("reshape", "n", ("x",), "y", {"shape": (2, 2)})
    model = IntegerModel((tensor,), (ModelTensor("y", (2, 2), -3, 3, Scale.of(1.0)),), {}, (view,))
    assert dump(load(dump(model))) == dump(model)
