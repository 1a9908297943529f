"""Files that are damaged in one place: each is proven, or refused by an error of this package, in words."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from deepprove_dist.errors import ModelError, UnsupportedModelError
from deepprove_dist.importing.load import import_model
from tests.importing.onnx_comparison import model

# Of what libraries say inside of themselves.
INTERNAL = re.compile(
    r"Traceback|\.(cc|h|py)\b|\[\w+Error\]|ONNXRuntimeError|==>|0x[0-9a-f]{6}|\bassert|NoneType|proto\b|nullptr"
)
SEEDS = range(4)

TEXT = """g (float[N,3,8,8] x, int64[N,2] i, float[N,4] f) => (float[N,a] y, float[b,c] z, float[N,4] u) <
    float[4,3,3,3] k, float[4] b, float[64,5] w, float[5] v, int64[2] shape = {1, -1}, bool yes = {1},
    int64 three = {3}, float[9,2] table, int64[1] axes = {1}> {
    c = Conv <pads = [1,1,1,1], strides = [2,2]> (x, k, b)  r = Relu (c)  p = MaxPool <kernel_shape = [2,2],
    strides = [1,1], pads = [0,0,1,1]> (r)  h = Reshape (p, shape)  m = MatMul (h, w)  a = Add (m, v)
    g = If (yes) <then_branch = t () => (o) { o = Tanh (a) }, else_branch = e () => (o2) { o2 = Neg (a) }>
    y = Clip (g)  q = Cast <to = 1> (i)  z = ReduceSum <keepdims = 0> (q, axes)
    l = Loop (three, yes, f) <body = d (int64 n, bool s, float[1,4] t1) => (s, t2) { t2 = Sigmoid (t1) }>
    j = Concat <axis = 1> (l, f)  u = Slice (j, axes, three, axes) }"""


def network() -> onnx.ModelProto:
    text = TEXT.replace("three, axes) }", "ends, axes) }").replace(
        "int64 three", "int64[1] ends = {5}, int64 three"
    )
    sizes = {"k": (4, 3, 3, 3), "b": (4,), "w": (64, 5), "v": (5,), "table": (9, 2)}
    for name, shape in sizes.items():
        stated = ",".join(map(str, shape))
        text = text.replace(f"float[{stated}] {name},", "").replace(f"float[{stated}] {name}", "")
    source = model(text)
    for name, shape in sizes.items():
        count = 1
        for size in shape:
            count *= size
        values = [((7 * index) % 11 - 5) / 10 for index in range(count)]
        source.graph.initializer.append(onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, shape, values))
    return source


def drop_attribute(source: onnx.ModelProto, choose: random.Random) -> None:
    node = choose.choice([node for node in source.graph.node if node.attribute])
    del node.attribute[choose.randrange(len(node.attribute))]


def change_attribute(source: onnx.ModelProto, choose: random.Random) -> None:
    node = choose.choice([node for node in source.graph.node if node.attribute])
    attribute = choose.choice(node.attribute)
    name = attribute.name
    value = choose.choice([-1, 0, 7, 2**40, 0.5, float("nan"), "text", [1], [0, -3], [2.5], ["a"]])
    attribute.CopyFrom(onnx.helper.make_attribute(name, value))


def add_attribute(source: onnx.ModelProto, choose: random.Random) -> None:
    node = choose.choice(source.graph.node)
    name = choose.choice(["axis", "axes", "pads", "alpha", "auto_pad", "strange", "body"])
    value = choose.choice([5, [1, 2, 3], 1.5, "SAME_UPPER"])
    node.attribute.append(onnx.helper.make_attribute(name, value))


def change_operator(source: onnx.ModelProto, choose: random.Random) -> None:
    node = choose.choice(source.graph.node)
    names = sorted({schema.name for schema in onnx.defs.get_all_schemas()})
    node.op_type = choose.choice([*names, "Strange", "", "Gelu\n"])


def change_domain(source: onnx.ModelProto, choose: random.Random) -> None:
    node = choose.choice(source.graph.node)
    node.domain = choose.choice(["com.microsoft", "ai.onnx.ml", "com.example", "nobody", "ai.onnx"])


def change_input(source: onnx.ModelProto, choose: random.Random) -> None:
    node = choose.choice([node for node in source.graph.node if node.input])
    names = [name for other in source.graph.node for name in (*other.input, *other.output)]
    node.input[choose.randrange(len(node.input))] = choose.choice([*names, "", "nothing"])


def drop_input(source: onnx.ModelProto, choose: random.Random) -> None:
    node = choose.choice([node for node in source.graph.node if node.input])
    del node.input[choose.randrange(len(node.input))]


def add_input(source: onnx.ModelProto, choose: random.Random) -> None:
    node = choose.choice(source.graph.node)
    node.input.append(choose.choice(["x", "b", "f", "nothing", ""]))


def change_output(source: onnx.ModelProto, choose: random.Random) -> None:
    node = choose.choice(source.graph.node)
    node.output[0] = choose.choice(["x", "k", "y", "other", ""])


def drop_node(source: onnx.ModelProto, choose: random.Random) -> None:
    del source.graph.node[choose.randrange(len(source.graph.node))]


def swap_nodes(source: onnx.ModelProto, choose: random.Random) -> None:
    nodes = list(source.graph.node)
    choose.shuffle(nodes)
    del source.graph.node[:]
    source.graph.node.extend(nodes)


def change_type(source: onnx.ModelProto, choose: random.Random) -> None:
    values = [*source.graph.input, *source.graph.output]
    choose.choice(values).type.tensor_type.elem_type = choose.choice([*range(27), 99])


def change_constant(source: onnx.ModelProto, choose: random.Random) -> None:
    tensor = choose.choice(source.graph.initializer)
    kind = choose.choice(["type", "sizes", "data", "name", "nan"])
    if kind == "type":
        tensor.data_type = choose.choice([*range(27), 99])
    elif kind == "sizes":
        tensor.dims[:] = choose.choice([[], [0], [-1], [3, 3], [2**40], [2**31, 2**31, 4]])
    elif kind == "data":
        tensor.ClearField("float_data")
        tensor.ClearField("raw_data")
    elif kind == "nan" and tensor.data_type == onnx.TensorProto.FLOAT:
        tensor.float_data[0] = float("nan")
    else:
        tensor.name = choose.choice(["", "x", "y", "unused"])


def change_shape(source: onnx.ModelProto, choose: random.Random) -> None:
    axes = choose.choice(source.graph.input).type.tensor_type.shape.dim
    axis = choose.choice(axes)
    axis.dim_value = choose.choice([0, -7, 5, 2**40, 1])


def change_opsets(source: onnx.ModelProto, choose: random.Random) -> None:
    kind = choose.choice(["version", "none", "twice", "ir"])
    if kind == "version":
        source.opset_import[0].version = choose.choice([-1, 0, 1, 6, 7, 9, 12, 99, 2**40])
    elif kind == "none":
        del source.opset_import[:]
    elif kind == "twice":
        source.opset_import.append(onnx.helper.make_opsetid("", 9))
    else:
        source.ir_version = choose.choice([0, 1, 3, 99])


def change_bytes(source: onnx.ModelProto, choose: random.Random) -> bytes:
    data = bytearray(source.SerializeToString())
    for _ in range(choose.randrange(1, 4)):
        data[choose.randrange(len(data))] = choose.randrange(256)
    return bytes(data[: choose.choice([len(data), len(data) // 2])])


MUTATIONS: list[Callable[[onnx.ModelProto, random.Random], bytes | None]] = [
    drop_attribute,
    change_attribute,
    add_attribute,
    change_operator,
    change_domain,
    change_input,
    drop_input,
    add_input,
    change_output,
    drop_node,
    swap_nodes,
    change_type,
    change_constant,
    change_shape,
    change_opsets,
    change_bytes,
]


def test_the_file_itself_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(network().SerializeToString())
    assert set(import_model(path).graph.outputs) == {"y", "z", "u"}


def refusal(path: Path) -> ModelError | None:
    try:
        import_model(path)
    except ModelError as error:
        return error
    return None


@pytest.mark.parametrize("mutate", MUTATIONS)
def test_damaged_files(
    mutate: Callable[[onnx.ModelProto, random.Random], bytes | None], tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    for seed in SEEDS:
        source = network()
        data = mutate(source, random.Random(seed))
        path.write_bytes(source.SerializeToString() if data is None else data)
        error = refusal(path)
        text = str(error or "").replace(str(path), "FILE")
        assert not INTERNAL.search(text), (seed, text)
        if isinstance(error, UnsupportedModelError):
            assert all(problem.supported or problem.advice for problem in error.problems), (seed, text)


def test_an_operator_that_the_opset_does_not_have(tmp_path: Path) -> None:
    node = "y = GroupNormalization <num_groups = 1> (x, s, s)"
    body = f"g (float[1,2,3] x) => (float[1,2,3] y) <float[2] s = {{1, 1}}> {{ {node} }}"
    (tmp_path / "model.onnx").write_bytes(model(body, opset=18).SerializeToString())
    error = refusal(tmp_path / "model.onnx")
    assert "opset 18 does not have it; export the model with another opset" in str(error)


@pytest.mark.parametrize(
    ("mutate", "texts"),
    [
        (drop_node, {"a node reads 'c', which no node before it computes"}),
        (drop_input, {"breaks the ONNX standard: it has 0 inputs; the standard allows 1 to 1"}),
        (change_output, {"'x' is computed, or stated, more than once"}),
        (drop_attribute, {"Required attribute 'to' is missing"}),
    ],
)
def test_sentences(
    mutate: Callable[[onnx.ModelProto, random.Random], None], texts: set[str], tmp_path: Path
) -> None:
    """Some of the mutations give these."""
    texts_of_all = ""
    for seed in range(24):
        source = network()
        mutate(source, random.Random(seed))
        (tmp_path / "model.onnx").write_bytes(source.SerializeToString())
        texts_of_all += str(refusal(tmp_path / "model.onnx"))
    assert all(text in texts_of_all for text in texts)


def test_inputs_that_nothing_can_hold(tmp_path: Path) -> None:
    source = network()
    source.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 2**40
    (tmp_path / "model.onnx").write_bytes(source.SerializeToString())
    assert "graph input 'x': it has" in str(refusal(tmp_path / "model.onnx"))
