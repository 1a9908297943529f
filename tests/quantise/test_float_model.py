"""Float runs: every tensor of the graph has a value, and what onnxruntime refuses is one sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from deepprove_dist.errors import ModelError
from deepprove_dist.importing.load import ImportedModel, import_model, import_proto
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.samples import Samples
from tests.importing.onnx_comparison import evaluate, model

K = "float[2,2,2,2] k = {1, 2, 3, 4, 5, 6, 7, 8, 1, -2, 3, 4, -5, 6, 7, 8}"


def samples_of(imported: ImportedModel, count: int = 3) -> Samples:
    generator = np.random.default_rng(0)
    shapes = imported.graph.shapes
    return Samples(
        {name: generator.normal(size=(count, *shapes[name])) for name in imported.graph.inputs}, None
    )


@pytest.mark.parametrize("axes", ["2, 3", "1, 2", "1, 2, 3"])
def test_tensors_between_onnx_nodes_have_values_too(axes: str) -> None:
    text = f"""g (float[1,2,4,5] x) => (float[a] y) <{K}> {{
        h = Conv (x, k)  r = Relu (h)  m = ReduceMean <axes = [{axes}], keepdims = 0> (r)  y = Tanh (m) }}"""
    source = model(text)
    source.graph.output[0].type.tensor_type.ClearField("shape")
    imported = import_proto(source)
    samples = samples_of(imported)
    for index, values in enumerate(FloatModel(imported).run(samples)):
        assert {name: array.shape for name, array in values.items()} == dict(imported.graph.shapes)
        expected = evaluate(imported.graph, {"x": samples.inputs["x"][index]})
        np.testing.assert_allclose(values["y"], expected["y"], rtol=1e-4, atol=1e-6)


def test_tensors_between_have_no_name_of_a_tensor_that_was_folded() -> None:
    """ONNX's tensor y/0 is there for its shape alone: onnxruntime computes it, the float graph does not."""
    nodes = [
        onnx.helper.make_node("Concat", ["x", "x"], ["y/0"], axis=1),
        onnx.helper.make_node("Shape", ["y/0"], ["s"]),
        onnx.helper.make_node("Cast", ["s"], ["f"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("ReduceMean", ["f"], ["k"], keepdims=0),
        onnx.helper.make_node("ReduceMean", ["x"], ["y"], axes=[1], keepdims=0),
        onnx.helper.make_node("Mul", ["y", "k"], ["z"]),
    ]
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, (1, 2, 3))
    z = onnx.helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, (1, 3))
    graph = onnx.helper.make_graph(nodes, "g", [x], [z])
    imported = import_proto(
        onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    )
    samples = samples_of(imported)
    values = next(FloatModel(imported).run(samples))
    assert "y/0" not in values
    expected = evaluate(imported.graph, {"x": samples.inputs["x"][0]})
    np.testing.assert_allclose(values["z"], expected["z"], rtol=1e-5)


def test_inputs_without_axes() -> None:
    imported = import_proto(model("g (float x) => (float y) <float k = {2}> { y = Mul (x, k) }"))
    values = next(FloatModel(imported).run(Samples({"x": np.array([1.5])}, None)))
    assert values["y"].shape == ()
    assert values["y"] == 3


@pytest.mark.parametrize("kind", [onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16])
@pytest.mark.parametrize(
    "body",
    [
        "h = Conv (x, k) y = Relu (h)",
        "y = GlobalAveragePool (x)",
        "y = AveragePool <kernel_shape = [2, 2]> (x)",
    ],
)
def test_types_that_onnxruntime_lacks_run_in_float32(body: str, kind: int) -> None:
    source = model(f"g (float[1,2,4,5] x) => (float[a,b,c,d] y) <{K}> {{ {body} }}")
    source.graph.input[0].type.tensor_type.elem_type = kind
    source.graph.output[0].type.tensor_type.elem_type = kind
    values = onnx.numpy_helper.to_array(source.graph.initializer[0])
    typed = values.astype(onnx.helper.tensor_dtype_to_np_dtype(kind))
    source.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(typed, "k"))
    imported = import_proto(source)
    samples = samples_of(imported)
    result = next(FloatModel(imported).run(samples))
    expected = evaluate(imported.graph, {"x": samples.inputs["x"][0]})
    np.testing.assert_allclose(result["y"], expected["y"], rtol=2e-2, atol=2e-2)


def with_nodes(imported: ImportedModel, *nodes: onnx.NodeProto) -> ImportedModel:
    """The import with other nodes in the model that onnxruntime runs."""
    changed = onnx.ModelProto()
    changed.CopyFrom(imported.onnx)
    del changed.graph.node[:]
    changed.graph.node.extend(nodes)
    return replace(imported, onnx=changed)


RELU = "g (float[1,4,4,4] x) => (float[1,2,4,4] y) <float[2,4,1,1] k = {1, 2, 3, 4, 5, 6, 7, 8}> "


def test_what_fails_at_run_time_names_the_node() -> None:
    imported = import_proto(model(RELU + "{ y = Conv (x, k) }"))
    node = onnx.helper.make_node(
        "Conv", ["x", "k"], ["y"], "the node", auto_pad="SAME_UPPER", dilations=[2, 2], kernel_shape=[1, 1]
    )
    run = FloatModel(with_nodes(imported, node)).run(samples_of(imported))
    with pytest.raises(
        ModelError, match="onnxruntime cannot run Conv 'the node': Dilation not supported"
    ) as caught:
        next(run)
    assert "\n" not in str(caught.value)
    assert "ONNXRuntimeError" not in str(caught.value)


@pytest.mark.parametrize("divisor", ["z", "x"])
def test_refusals_do_not_name_files_of_onnxruntime(divisor: str) -> None:
    imported = import_proto(model("g (int64[1,2] x) => (int64[1,2] y) { y = Mod (x, x) }"))
    node = onnx.helper.make_node("Mod", ["x", divisor], ["y"], "the node")
    zero = onnx.numpy_helper.from_array(np.zeros(1, np.int64), "z")
    faulty = with_nodes(imported, node)
    faulty.onnx.graph.initializer.append(zero)
    with pytest.raises(ModelError, match="Integer modulo by zero") as caught:
        next(FloatModel(faulty).run(Samples({"x": np.zeros((1, 1, 2))}, None)))
    assert ".cc" not in str(caught.value)
    assert "::" not in str(caught.value)


def test_what_fails_at_the_start_is_one_sentence() -> None:
    imported = import_proto(model(RELU + "{ y = Conv (x, k) }"))
    node = onnx.helper.make_node("NoSuchOperator", ["x", "k"], ["y"], "the node")
    with pytest.raises(ModelError, match=r"onnxruntime cannot run the model: .*NoSuchOperator") as caught:
        FloatModel(with_nodes(imported, node))
    assert "ONNXRuntimeError" not in str(caught.value)


def test_another_shape_than_the_standard_says_is_named() -> None:
    imported = import_proto(model("g (float[1,4] x) => (float[1,4] y) { y = Relu (x) }"))
    graph = replace(imported.graph, shapes={**imported.graph.shapes, "y": (4, 1)})
    run = FloatModel(replace(imported, graph=graph)).run(samples_of(imported))
    with pytest.raises(
        ModelError, match=r"computes 'y' with the shape \(1, 4\), the ONNX standard says \(4, 1\)"
    ):
        next(run)


def test_nodes_that_no_output_needs_are_not_run() -> None:
    text = "g (float[1,4] x) => (float[1,4] y) { y = Relu (x) z = com.example.NoSuchOperator (y) }"
    imported = import_proto(model(text))
    assert [value["y"].shape for value in FloatModel(imported).run(samples_of(imported))] == [(1, 4)] * 3


def test_values_beyond_the_type_become_infinite() -> None:
    imported = import_proto(model("g (float[1,4] x) => (float[1,4] y) { y = Relu (x) }"))
    values = next(FloatModel(imported).run(Samples({"x": np.full((1, 1, 4), 1e300)}, None)))
    assert np.isinf(values["y"]).all()


def test_what_onnxruntime_says_has_no_place_of_its_sources() -> None:
    source = model("g (int64[4] x) => (int64[4] y) <int64[4] w = {1,2,3,4}> { y = Div (w, x) }")
    samples = Samples({"x": np.zeros((4, 4))}, None)
    with pytest.raises(ModelError, match="cannot run Div 'Div of y': Integer division by zero"):
        next(iter(FloatModel(import_proto(source)).run(samples)))


class CountedRuns(FloatModel):
    """Counts its runs."""

    count = 0

    def _run(
        self, feeds: Mapping[str, npt.NDArray[np.generic]], outputs: Sequence[str]
    ) -> dict[str, npt.NDArray[np.generic]]:
        self.count += 1
        return super()._run(feeds, outputs)


def test_outputs_of_samples_that_were_run_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the samples' values, as long as there is room; other samples and other tensors are run."""
    imported = import_proto(model(f"g (float[1,2,4,5] x) => (y) <{K}> {{ h = Conv (x, k)  y = Tanh (h) }}"))
    float_model, samples = CountedRuns(imported), samples_of(imported)
    first = [values["y"] for values in float_model.run(samples)]
    again = [values["y"] for values in float_model.run(samples.take(np.array([2, 0])), ["y"])]
    with_inputs = list(float_model.run(samples, ["x", "y"]))
    assert float_model.count == 3
    assert np.array_equal(again, [first[2], first[0]])
    assert np.array_equal([values["y"] for values in with_inputs], first)
    inputs = samples.inputs["x"].astype(np.float32)
    assert np.array_equal([values["x"] for values in with_inputs], inputs)
    others = Samples({"x": samples.inputs["x"] + 1}, None)
    assert not np.array_equal(next(iter(float_model.run(others, ["y"])))["y"], first[0])
    before = float_model.count
    list(float_model.run(samples, ["h"]))
    assert float_model.count == before + 3
    monkeypatch.setattr("deepprove_dist.quantise.known_outputs.VALUES_KEPT", 0)
    small = CountedRuns(imported)
    for _ in range(2):
        list(small.run(samples, ["y"]))
    assert small.count == 6


def test_large_tensors_between_have_the_precision_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same values as in double precision; inputs and outputs always have that."""
    monkeypatch.setattr("deepprove_dist.quantise.float_model.LARGE", 0)
    imported = import_proto(model(f"g (float[1,2,4,5] x) => (y) <{K}> {{ h = Conv (x, k)  y = Tanh (h) }}"))
    float_model, samples = FloatModel(imported), samples_of(imported)
    pairs = zip(float_model.run_as_computed(samples), float_model.run(samples), strict=True)
    for computed, wide in pairs:
        assert {name for name, values in computed.items() if values.dtype == np.float32} == {"h"}
        assert all(values.dtype == np.float64 for values in wide.values())
        assert all(np.array_equal(values, wide[name]) for name, values in computed.items())


@pytest.mark.parametrize("shift", [0, 1, 4])
def test_constants_in_files_of_several_folders_are_mapped(tmp_path: Path, shift: int) -> None:
    generator = np.random.default_rng(0)
    source = model("g (float[1,512] x) => (float[1,512] y) { h = MatMul (x, a)  y = MatMul (h, b) }")
    for name in ("a", "b"):
        weight = generator.normal(size=(512, 512)).astype(np.float32)
        source.graph.initializer.append(onnx.numpy_helper.from_array(weight, name))
    whole = FloatModel(import_proto(source))
    for tensor, file in zip(source.graph.initializer, ("weights", "inner/weights"), strict=True):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(bytes(shift) + tensor.raw_data)
        onnx.external_data_helper.set_external_data(tensor, file, shift, len(tensor.raw_data))
        tensor.ClearField("raw_data")
    onnx.save(source, tmp_path / "model.onnx")
    mapped = FloatModel(import_model(tmp_path / "model.onnx"))
    samples = samples_of(mapped._imported)
    for values, expected in zip(mapped.run(samples), whole.run(samples), strict=True):
        assert all(np.array_equal(values[name], expected[name]) for name in ("h", "y"))
