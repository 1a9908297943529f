"""Operators of ai.onnx.ml compute what onnxruntime does, or are refused with a reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.importing.selection import ModelSelection
from tests.importing.onnx_comparison import assert_same, evaluate
from tests.importing.tree_models import classical

RANDOM = np.random.default_rng(0)
VECTORS = RANDOM.normal(size=(6, 3)).ravel().tolist()
MACHINE: dict[str, Any] = {"support_vectors": VECTORS, "kernel_params": [0.5, 0.25, 3.0]}
REGRESSOR = MACHINE | {"coefficients": [1.0, -2.0, 0.5, 1.0, -0.25, 0.75], "rho": [0.5], "n_supports": 6}
TWO = MACHINE | {"vectors_per_class": [4, 2], "classlabels_ints": [0, 1], "rho": [0.5]}
TWO |= {"coefficients": [1.0, -2.0, 0.5, 1.0, -0.25, 0.75]}
THREE = MACHINE | {"vectors_per_class": [2, 3, 1], "classlabels_ints": [0, 1, 2], "rho": [0.5, 0.25, -0.5]}
THREE |= {"coefficients": RANDOM.normal(size=12).tolist()}
ROW: dict[str, Any] = {"coefficients": [1.0, -2.0, 0.5], "intercepts": [0.25]}
ROWS: dict[str, Any] = {"coefficients": RANDOM.normal(size=9).tolist(), "intercepts": [0.25, -0.5, 1.0]}
LABELS: dict[str, Any] = {"classlabels_ints": [0, 1, 2]}


def single(operator: str, **attributes: Any) -> onnx.ModelProto:
    """A model of one node over three features, of which the last output is proven."""
    outputs = ("y", "p") if operator.endswith("Classifier") else ("p",)
    return classical(operator, attributes, 3, outputs, proven=("p",))


@pytest.mark.parametrize(
    "attributes",
    [{"scale": [2.0, 0.5, -1.0], "offset": [1.0, 0.0, 0.25]}, {"scale": [2.0], "offset": [1.0]}],
)
def test_scalers(attributes: dict[str, Any]) -> None:
    assert len(assert_same(single("Scaler", **attributes)).graph.nodes) == 1


def test_values_are_replaced_and_compared() -> None:
    imputed = {"imputed_value_floats": [7.0, 8.0, 9.0]}
    for attributes, x in (
        (imputed | {"replaced_value_float": 2.0}, [2.0, 0.0, 2.0]),
        (imputed | {"replaced_value_float": float("nan")}, [2.0, 0.0, 2.0]),
        ({"imputed_value_floats": [7.0], "replaced_value_float": 0.0}, [2.0, 0.0, 2.0]),
    ):
        assert_same_at(single("Imputer", **attributes), [x])
    assert_same_at(single("Binarizer", threshold=0.5), [[0.5, 0.75, -1.0]])


def assert_same_at(model: onnx.ModelProto, x: list[list[float]]) -> None:
    """Holds a model's float graph against onnxruntime at one input."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    results = session.run(None, {"x": np.array(x, dtype=np.float32)})
    computed = evaluate(import_proto(model).graph, {"x": np.array(x)})
    for value, expected in zip(session.get_outputs(), results, strict=True):
        np.testing.assert_allclose(computed[value.name], expected, rtol=1e-5)


def test_columns_are_chosen_and_joined() -> None:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3]) for name in "ab"]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    nodes = [
        helper.make_node("FeatureVectorizer", ["a", "b"], ["v"], domain="ai.onnx.ml", inputdimensions=[3, 3]),
        helper.make_node("ArrayFeatureExtractor", ["v", "index"], ["y"], domain="ai.onnx.ml"),
    ]
    index = onnx.numpy_helper.from_array(np.array([4, 0, 3]), "index")
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    graph = helper.make_graph(nodes, "g", values, [output], [index])
    assert_same(helper.make_model(graph, opset_imports=opsets, ir_version=8))


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"])
def test_linear_models(transform: str) -> None:
    assert_same(single("LinearRegressor", **ROWS, targets=3, post_transform=transform))
    assert_same(single("LinearClassifier", **ROWS, **LABELS, post_transform=transform))
    two = {"classlabels_ints": [0, 1], "post_transform": transform}
    assert_same(single("LinearClassifier", **ROW, **two))
    both = {"coefficients": [1.0, 2.0, 3.0, 0.5, 0.0, 1.0], "intercepts": [0.25, -0.25]}
    assert_same(single("LinearClassifier", **both, **two))


@pytest.mark.parametrize("operator", ["LinearRegressor", "LinearClassifier"])
def test_inverses_of_the_normal_distribution(operator: str) -> None:
    small = {"coefficients": [0.01, -0.02, 0.03] * 3, "intercepts": [0.4, 0.5, 0.6]}
    further = {"targets": 3} if operator == "LinearRegressor" else LABELS
    assert_same(single(operator, **small, **further, post_transform="PROBIT"))
    one = {"coefficients": [0.01, -0.02, 0.03], "intercepts": [0.3], "post_transform": "PROBIT"}
    assert_same(single("LinearRegressor", **one))


@pytest.mark.parametrize("transform", ["LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"])
def test_functions_of_scores_of_machines(transform: str) -> None:
    for attributes in (TWO, THREE):
        assert_same(single("SVMClassifier", **attributes, kernel_type="RBF", post_transform=transform))


@pytest.mark.parametrize("kernel", ["LINEAR", "POLY", "RBF", "SIGMOID"])
def test_support_vectors(kernel: str) -> None:
    assert_same(single("SVMRegressor", **REGRESSOR, kernel_type=kernel))
    assert_same(single("SVMClassifier", **TWO, kernel_type=kernel))
    assert_same(single("SVMClassifier", **TWO, kernel_type=kernel, prob_a=[-2.0], prob_b=[0.25]))
    assert_same(single("SVMClassifier", **THREE, kernel_type=kernel))


def test_a_linear_machine_without_vectors() -> None:
    parameters = {"kernel_type": "LINEAR", "kernel_params": [0.5, 0.25, 3.0]}
    assert_same(single("SVMRegressor", coefficients=[1.0, -2.0, 0.5], rho=[0.5], **parameters))


def test_numbers_are_encoded() -> None:
    encoder = {"keys_floats": [1.0, 2.0, 5.0], "values_floats": [0.5, -1.0, 3.0], "default_float": 9.0}
    assert_same_at(single("LabelEncoder", **encoder), [[1.0, 4.0, 5.0]])


@pytest.mark.parametrize(
    ("operator", "attributes", "reason"),
    [
        ("LinearRegressor", ROW | {"post_transform": "LOGISTIC"}, "one target"),
        ("LinearClassifier", ROWS | LABELS | {"post_transform": "NEW"}, "post_transform is NEW"),
        (
            "LinearClassifier",
            ROW | {"classlabels_ints": [0, 1], "post_transform": "PROBIT"},
            "one score for two classes",
        ),
        ("LinearClassifier", ROWS | {"classlabels_ints": [0, 1]}, "for 3 scores, and it has 2 classes"),
        ("LinearClassifier", ROWS, "no class labels"),
        ("Normalizer", {"norm": "L9"}, "its norm is L9"),
        ("OneHotEncoder", {"cats_strings": ["a"]}, "texts"),
        ("LabelEncoder", {"keys_strings": ["a"], "values_int64s": [1]}, "texts"),
        ("LabelEncoder", {"keys_floats": [1.0, 2.0], "values_floats": [1.0]}, "2 keys and 1 values"),
        ("SVMRegressor", REGRESSOR | {"one_class": 1}, "one_class"),
        ("SVMRegressor", REGRESSOR | {"kernel_type": "NEW"}, "kernel_type is NEW"),
        ("SVMRegressor", REGRESSOR | {"post_transform": "LOGISTIC"}, "post_transform is LOGISTIC"),
        ("SVMRegressor", {"coefficients": [1.0], "rho": [0.5]}, "no support vectors"),
        ("SVMClassifier", THREE | {"prob_a": [1.0] * 3, "prob_b": [1.0] * 3}, "follow from an iteration"),
        ("SVMClassifier", TWO | {"post_transform": "PROBIT"}, "one score for two classes"),
        ("SVMClassifier", {"classlabels_ints": [0, 1]}, "no support vectors of each class"),
        ("CategoryMapper", {"cats_strings": ["a"], "cats_int64s": [1]}, "texts or maps"),
    ],
)
def test_what_cannot_be_proven_is_refused_by_name(
    operator: str, attributes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        import_proto(single(operator, **attributes))


def with_names(labels: dict[str, Any], kind: int) -> onnx.ModelProto:
    """A classifier as exporters write it: a label, and probabilities with the names of classes."""
    attributes = {**ROWS, **labels, "post_transform": "LOGISTIC"}
    model = classical("LinearClassifier", attributes, 3, ("y", "p"))
    names = {name.replace("classlabels_ints", "classlabels_int64s"): value for name, value in labels.items()}
    model.graph.node.append(helper.make_node("ZipMap", ["p"], ["z"], domain="ai.onnx.ml", **names))
    label, zipped = model.graph.output
    label.type.tensor_type.elem_type = kind
    zipped.name = "z"
    zipped.ClearField("type")
    zipped.type.sequence_type.elem_type.map_type.key_type = kind
    zipped.type.sequence_type.elem_type.map_type.value_type.tensor_type.elem_type = TensorProto.FLOAT
    return model


def test_names_of_columns_are_no_part_of_an_output() -> None:
    model = with_names({"classlabels_strings": ["a", "b", "c"]}, TensorProto.STRING)
    imported = import_proto(model)
    assert imported.left_out == ("y",)
    assert imported.graph.outputs.keys() == {"z"}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (rows,) = session.run(["z"], {"x": np.array([[0.5, 1.0, -2.0]], dtype=np.float32)})
    computed = evaluate(imported.graph, {"x": np.array([[0.5, 1.0, -2.0]])})["z"]
    np.testing.assert_allclose(computed[0], [rows[0][name] for name in "abc"], rtol=1e-5)


def test_a_label_that_is_a_text_is_refused_where_it_is_asked_for() -> None:
    model = with_names({"classlabels_strings": ["a", "b", "c"]}, TensorProto.STRING)
    with pytest.raises(UnsupportedModelError, match="its label is a text"):
        import_proto(model, ModelSelection.of(["y"], {}))


@pytest.mark.parametrize("attributes", [TWO, THREE, TWO | {"prob_a": [-2.0], "prob_b": [3.0]}])
def test_labels_of_support_vectors(attributes: dict[str, Any]) -> None:
    model = classical("SVMClassifier", attributes, 3, ("y", "p"), proven=("y",))
    for x in np.random.default_rng(8).normal(size=(12, 1, 3)):
        assert_same_at(model, x.tolist())


def test_labels_are_classes() -> None:
    attributes = ROWS | {"classlabels_ints": [7, 3, 5]}
    model = classical("LinearClassifier", attributes, 3, ("y", "p"), proven=("y",))
    for x in np.random.default_rng(8).normal(size=(6, 1, 3)):
        assert_same_at(model, x.tolist())
