"""Whole files: batch axes, folding, functions, external data, and what is refused before any rule runs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from deepprove_dist.errors import ModelError, UnsupportedModelError
from deepprove_dist.importing.load import import_model, import_proto, read_model
from deepprove_dist.importing.rewriting.stored_constants import read_constant
from deepprove_dist.importing.sources import import_source
from deepprove_dist.operators.reshape import FloatReshape
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.samples import Samples
from tests.importing.onnx_comparison import OPSETS, assert_same, model

ASSETS = Path(__file__).parents[2] / "assets" / "models"
V = "float[4,3] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}"


@pytest.mark.parametrize("name", ["digits_mlp", "iris_mlp_d1_w10", "iris_mlp_d4_w128"])
def test_shipped_models(name: str) -> None:
    assert_same(ASSETS / name / "model.onnx")


@pytest.mark.parametrize("opset", OPSETS)
def test_symbolic_batch_with_a_shape_computed_as_exporters_do(opset: int) -> None:
    axes = "axes" if opset >= 13 else ""
    unsqueeze = "Unsqueeze (n, axes)" if axes else "Unsqueeze <axes = [0]> (n)"
    text = f"""g (float[N,2,2] x) => (float[N,3] y) <{V}, int64 zero = {{0}}, int64[1] free = {{-1}},
        int64[1] axes = {{0}}> {{
        s = Shape (x)  n = Gather <axis = 0> (s, zero)  u = {unsqueeze}
        t = Concat <axis = 0> (u, free)  f = Reshape (x, t)  y = MatMul (f, v) }}"""
    imported = assert_same(model(text, opset))
    assert imported.graph.shapes["x"] == (1, 2, 2)
    assert [type(node) for node in imported.graph.nodes][:1] == [FloatReshape]


def test_shape_arithmetic_folds() -> None:
    text = """g (float[N,2,6] x) => (float[N,M] y) <int64 one = {1}, int64 two = {2}, int64[1] zero = {0},
        int64[1] minus = {-1}> {
        s = Shape (x)  a = Gather (s, one)  b = Gather (s, two)  c = Mul (a, b)  d = Unsqueeze (c, zero)
        t = Concat <axis = 0> (minus, d)  y = Reshape (x, t) }"""
    assert assert_same(model(text)).graph.shapes["y"] == (1, 12)


def test_stated_shapes_of_inner_tensors_are_not_trusted() -> None:
    source = model("g (float[1,4] x) => (float[7] y) { y = Relu (x) }")
    assert import_proto(source).graph.shapes["y"] == (1, 4)


def test_functions_are_inlined() -> None:
    text = f"""<ir_version: 8, opset_import: ["": 17, "local": 1]>
        g (float[1,4] x) => (float[1,3] y) <{V}> {{ h = local.layer (x, v)  y = Relu (h) }}
        <domain: "local", opset_import: ["": 17]>
        layer (a, w) => (c) {{ m = MatMul (a, w)  one = Constant <value = float[1] {{1}}> ()
            c = Add (m, one) }}"""
    assert_same(onnx.parser.parse_model(text))


def test_external_data(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    weight = np.random.default_rng(0).normal(size=(64, 32)).astype(np.float32)
    source = model("g (float[1,64] x) => (float[1,32] y) { y = MatMul (x, w) }")
    source.graph.initializer.append(onnx.numpy_helper.from_array(weight, "w"))
    onnx.save(source, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert_same(path)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelError):
        import_model(path)


def large_model(path: Path, kind: str = "f4") -> onnx.ModelProto:
    """A layer of 2^19 weights, saved beside the model's file."""
    weight = np.random.default_rng(0).normal(size=(1024, 512)).astype(kind)
    source = model("g (float[1,1024] x) => (float[1,512] y) { c = Cast <to = 1> (w)  y = MatMul (x, c) }")
    if kind == "f4":
        source = model("g (float[1,1024] x) => (float[1,512] y) { y = MatMul (x, w) }")
    source.graph.initializer.append(onnx.numpy_helper.from_array(weight, "w"))
    onnx.save(source, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return source


@pytest.mark.parametrize("kind", ["f4", "f2", "f8"])
def test_large_constants_stay_in_their_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model.onnx"
    source = large_model(path, kind)
    (tensor,) = read_model(path).graph.initializer
    assert not tensor.HasField("raw_data")
    expected = onnx.numpy_helper.to_array(source.graph.initializer[0], str(tmp_path))
    assert (read_constant(tensor) == expected).all()
    assert_same(path)


def test_a_model_of_an_old_opset_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    large_model(path)
    source = onnx.load(path, load_external_data=False)
    source.opset_import[0].version = 9
    path.write_bytes(source.SerializeToString())
    assert_same(path)


def test_outputs_may_leave_out_their_shape_beside_large_constants(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    large_model(path)
    source = onnx.load(path, load_external_data=False)
    source.graph.output[0].ClearField("type")
    path.write_bytes(source.SerializeToString())
    assert import_model(path).graph.shapes["y"] == (1, 512)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("location", "../weights.bin"),
        ("location", "{folder}/weights.bin"),
        ("location", "link/weights.bin"),
        ("location", "nothing.bin"),
        ("location", ""),
        ("offset", "8"),
        ("offset", "-8"),
        ("length", "8"),
        ("length", "many"),
    ],
)
def test_constants_that_leave_folder_or_file_are_refused(tmp_path: Path, key: str, value: str) -> None:
    """The same bytes stand in the folder above, and a link leads there."""
    inner = tmp_path / "inner"
    inner.mkdir()
    large_model(tmp_path / "model.onnx")
    (inner / "weights.bin").write_bytes((tmp_path / "weights.bin").read_bytes())
    (inner / "link").symlink_to(tmp_path)
    source = onnx.load(tmp_path / "model.onnx", load_external_data=False)
    path = inner / "model.onnx"
    path.write_bytes(source.SerializeToString())
    read_model(path)
    stated = {entry.key: entry for entry in source.graph.initializer[0].external_data}
    stated[key].value = value.format(folder=tmp_path)
    path.write_bytes(source.SerializeToString())
    with pytest.raises(ModelError):
        import_model(path)


def with_inner_tensors(location: str) -> onnx.ModelProto:
    """A constant node, and an initializer of a branch, which have two numbers of another file."""
    source = model(
        """g (float[1,2] x) => (float[1,2] y) <bool t = {1}> {
            z = If (t) <then_branch = a () => (float[2] p) <float[2] w = {0, 0}> { p = Identity (w) },
                        else_branch = b () => (float[2] q) <float[2] v = {0, 0}> { q = Identity (v) }>
            c = Constant <value = float[2] {0, 0}> ()  s = Add (x, z)  y = Mul (s, c) }"""
    )
    branch, constant = source.graph.node[0].attribute[0].g, source.graph.node[1].attribute[0].t
    for tensor in (branch.initializer[0], constant):
        for field in ("float_data", "raw_data"):
            tensor.ClearField(field)
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in {"location": location, "offset": "0", "length": "8"}.items():
            tensor.external_data.add(key=key, value=value)
    return source


def test_tensors_inside_of_nodes_are_read_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "two.bin").write_bytes(np.array([3, 5], dtype="<f4").tobytes())
    path = tmp_path / "model.onnx"
    path.write_bytes(with_inner_tensors("two.bin").SerializeToString())
    (values,) = FloatModel(import_model(path)).run(Samples({"x": np.array([[[1.0, 2.0]]])}))
    assert values["y"].tolist() == [[12.0, 35.0]]


@pytest.mark.parametrize("location", ["../two.bin", "{folder}/two.bin", "nothing.bin"])
def test_tensors_inside_of_nodes_do_not_leave_the_folder(tmp_path: Path, location: str) -> None:
    (tmp_path / "two.bin").write_bytes(np.array([3, 5], dtype="<f4").tobytes())
    path = tmp_path / "inner" / "model.onnx"
    path.parent.mkdir()
    path.write_bytes(with_inner_tensors(location.format(folder=tmp_path)).SerializeToString())
    with pytest.raises(ModelError):
        import_model(path)


def test_a_model_in_memory_has_no_tensors_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even in the folder that the process happens to be in."""
    (tmp_path / "two.bin").write_bytes(np.array([3, 5], dtype="<f4").tobytes())
    monkeypatch.chdir(tmp_path)
    for source in (with_inner_tensors("two.bin"), with_inner_tensors("two.bin").SerializeToString()):
        with pytest.raises(ModelError, match="in another file: give the path"):
            import_source(source)


@pytest.mark.parametrize("kind", [onnx.TensorProto.STRING, onnx.TensorProto.BFLOAT16, 99])
def test_types_that_are_no_numbers_of_numpy_are_not_mapped(tmp_path: Path, kind: int) -> None:
    """Mapped, the bytes of a file would be taken for addresses of strings."""
    path = tmp_path / "model.onnx"
    large_model(path)
    source = onnx.load(path, load_external_data=False)
    source.graph.initializer[0].data_type = kind
    stated = {entry.key: entry for entry in source.graph.initializer[0].external_data}
    del source.graph.initializer[0].dims[:]
    source.graph.initializer[0].dims.extend([int(stated["length"].value) // 8])
    path.write_bytes(source.SerializeToString())
    with pytest.raises(ModelError):
        import_model(path)


@pytest.mark.parametrize("name", ["a\x1b[2J", "a\nb", "x" * 257])
@pytest.mark.parametrize("which", ["input", "output"])
def test_a_name_that_no_key_may_hold_is_refused(which: str, name: str) -> None:
    proto = model("g (float[N,2] x) => (float[N,2] y) { y = Relu (x) }")
    (value,), (node,) = getattr(proto.graph, which), proto.graph.node
    value.name = getattr(node, which)[0] = name
    with pytest.raises(ModelError, match="rename it in the model, with at most 256 printable") as caught:
        import_proto(proto)
    assert str(caught.value).isprintable()


def test_initializers_listed_as_inputs_are_no_inputs() -> None:
    source = model(f"g (float[1,4] x) => (float[1,3] y) <{V}> {{ y = MatMul (x, v) }}")
    source.graph.input.append(onnx.helper.make_tensor_value_info("v", onnx.TensorProto.FLOAT, [4, 3]))
    assert import_proto(source).graph.inputs == ("x",)


def saved(path: Path, source: onnx.ModelProto) -> Path:
    path.write_bytes(source.SerializeToString())
    return path


@pytest.mark.parametrize("kind", [onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE])
@pytest.mark.parametrize("stated", ["nothing", "type"])
def test_outputs_may_leave_out_their_shape_and_type(tmp_path: Path, kind: int, stated: str) -> None:
    source = model("g (float[1,4] x) => (float[1,4] y) { h = Relu (x) y = Squeeze (h) }")
    source.graph.input[0].type.tensor_type.elem_type = kind
    source.graph.output[0].ClearField("type")
    if stated == "type":
        source.graph.output[0].type.tensor_type.elem_type = kind
    path = saved(tmp_path / "model.onnx", source)
    with pytest.raises(onnx.checker.ValidationError):
        onnx.checker.check_model(path)
    imported = import_model(path)
    assert imported.graph.shapes["y"] == (4,)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda value: value.type.tensor_type.ClearField("shape"),
            "input 'x': it has no shape\n  What to",
        ),
        (
            lambda value: value.type.sequence_type.elem_type.tensor_type.SetInParent(),
            "'x': it is no tensor",
        ),
        (lambda value: value.ClearField("type"), "'x': it is no tensor"),
    ],
)
def test_inputs_have_shapes(tmp_path: Path, change: Callable[[onnx.ValueInfoProto], None], text: str) -> None:
    source = model("g (float[1,4] x) => (float[1,4] y) { y = Relu (x) }")
    change(source.graph.input[0])
    with pytest.raises(ModelError, match=text):
        import_model(saved(tmp_path / "model.onnx", source))


def test_sparse_initializers_are_named() -> None:
    source = model("g (float[1,4] x) => (float[1,4] y) { y = Bernoulli (x) }")
    values = onnx.numpy_helper.from_array(np.ones(1, np.float32), "s")
    indices = onnx.numpy_helper.from_array(np.zeros(1, np.int64), "i")
    source.graph.sparse_initializer.append(onnx.helper.make_sparse_tensor(values, indices, [4]))
    with pytest.raises(UnsupportedModelError) as caught:
        import_proto(source)
    assert [problem.node for problem in caught.value.problems] == ["s", "Bernoulli of y"]


def test_inputs_may_be_outputs_too() -> None:
    source = model("g (float[1,4] x) => (float[1,4] y) { y = Relu (x) }")
    source.graph.output.append(source.graph.input[0])
    assert assert_same(source).graph.outputs == {"y": "y", "x": "x"}


def test_inputs_without_axes() -> None:
    assert_same(model("g (float x) => (float y) <float k = {2}> { m = Mul (x, k) y = Add (m, k) }"))


def test_nodes_that_no_output_needs_are_not_looked_at() -> None:
    body = "y, m = Dropout (x) n = Not (m) s = Bernoulli (x)"
    text = f"g (float[1,4] x) => (float[1,4] y) {{ {body} }}"
    assert_same(model(text))


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07" * 40])
def test_files_that_are_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx: not an ONNX model, or a damaged one$"):
        import_model(path)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx: there is no such file$"):
        import_model(tmp_path / "none.onnx")
    source = model("g (float[1,4] x) => (float[1,3] y) { y = MatMul (x, v) }")
    source.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((4, 3), np.float32), "v"))
    path = tmp_path / "model.onnx"
    onnx.save(source, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelError, match=r"tensors in '.*weights\.bin', and there is no such file; keep it"):
        import_model(path)


def test_weights_among_the_inputs_may_have_any_name() -> None:
    """Inputs and outputs may not: a key holds their names."""
    source = model(f"g (float[1,4] x) => (float[1,3] y) <{V}> {{ y = MatMul (x, v) }}")
    long = "v" * 300
    source.graph.node[0].input[1] = source.graph.initializer[0].name = long
    source.graph.input.append(onnx.helper.make_tensor_value_info(long, onnx.TensorProto.FLOAT, [4, 3]))
    assert import_proto(source).graph.inputs == ("x",)
    source.graph.node[0].input[0] = source.graph.input[0].name = long + "x"
    with pytest.raises(ModelError, match="rename it in the model"):
        import_proto(source)
