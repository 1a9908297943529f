"""Ensembles of trees compute what onnxruntime does, for all conditions, or are refused with a reason."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import ImportedModel, import_proto
from deepprove_dist.importing.rewriting.tree_attributes import POST_TRANSFORMS
from tests.importing.onnx_comparison import evaluate
from tests.importing.tree_models import MODES, classical, classifier, newest, random_trees, regressor

FEATURES, SAMPLES = 4, 50


def assert_same_on_a_grid(model: onnx.ModelProto, high: int = 8, tolerance: float = 1e-6) -> ImportedModel:
    """Holds a model's float graph against onnxruntime, on inputs that thresholds meet exactly."""
    imported = import_proto(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(5)
    for _ in range(SAMPLES):
        x = random.integers(-8, high, imported.graph.shapes["x"]) / 4
        names = [value.name for value in session.get_outputs()]
        results = session.run(names, {"x": x.astype(np.float32)})
        computed = evaluate(imported.graph, {"x": x})
        for name, expected in zip(names, results, strict=True):
            assert computed[name].shape == expected.shape
            np.testing.assert_allclose(computed[name], expected, rtol=1e-5, atol=tolerance)
    return imported


@pytest.mark.parametrize("mode", MODES)
def test_conditions_are_those_of_onnxruntime(mode: str) -> None:
    assert_same_on_a_grid(regressor(np.random.default_rng(1), modes=(mode,)))


@pytest.mark.parametrize("aggregate", ["SUM", "AVERAGE", "MIN", "MAX"])
def test_trees_are_put_together(aggregate: str) -> None:
    random = np.random.default_rng(2)
    both: dict[str, Any] = {"ids": (0, 1), "n_targets": 2, "modes": MODES}
    for base in ([], [0.5, -1.0]):
        assert_same_on_a_grid(regressor(random, aggregate_function=aggregate, base_values=base, **both))
    assert_same_on_a_grid(regressor(random, trees=1, aggregate_function=aggregate))


@pytest.mark.parametrize("aggregate", [0, 1])
def test_the_newest_form_has_members_and_single_leaves(aggregate: int) -> None:
    model = newest(aggregate)
    imported = import_proto(model)
    for x0, x1, leaf in [(1, 0, 1.0), (4, 1, 2.5), (3, 1, -1.0), (0, 0.25, 0.75), (2, 0.5, 1.0)]:
        computed = evaluate(imported.graph, {"x": np.array([[x0, x1]], dtype=np.float64)})
        assert computed["y"].item() == (leaf + 0.125) / (1 if aggregate else 2)


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC"])
@pytest.mark.parametrize("low", [0.0, -1.0])
@pytest.mark.parametrize("only", [0, 1])
def test_two_classes_with_one_score(transform: str, low: float, only: int) -> None:
    random = np.random.default_rng(3)
    choices: dict[str, Any] = {"ids": (only,), "low": low, "post_transform": transform}
    assert_same_on_a_grid(classifier(random, 2, **choices))
    if only == 0:
        assert_same_on_a_grid(classifier(random, 2, base_values=[0.25], **choices))


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"])
def test_several_scores(transform: str) -> None:
    random = np.random.default_rng(4)
    assert_same_on_a_grid(classifier(random, 2, ids=(0, 1), post_transform=transform))
    assert_same_on_a_grid(classifier(random, 3, ids=(0, 1, 2), post_transform=transform))
    base = [0.5, -0.25, 1.0]
    assert_same_on_a_grid(classifier(random, 3, ids=(0, 2), post_transform=transform, base_values=base))


@pytest.mark.parametrize(
    ("choices", "reason"),
    [
        ({"post_transform": "NEW"}, "post_transform is NEW"),
        ({"base_values": [0.5, 1.0]}, "two base_values"),
        ({"base_values": [0.5], "ids": (1,)}, "weights for the second class alone"),
        ({"base_values": [0.5, 1.0], "ids": (0, 1)}, "2 base_values for 2 classes"),
        ({"ids": (0, 1), "proven": ("y",)}, "onnxruntime's label"),
        ({"classlabels_strings": ["a", "b"], "proven": ("y", "p")}, "its label is a text"),
    ],
)
def test_what_has_no_one_meaning_is_refused(choices: dict[str, Any], reason: str) -> None:
    classes = choices.pop("classes", 2)
    model = classifier(np.random.default_rng(0), classes, **choices)
    with pytest.raises(UnsupportedModelError, match=reason):
        import_proto(model)


@pytest.mark.parametrize("ids", [(0,), (0, 1), (0, 1, 2)])
def test_inverses_of_the_normal_distribution(ids: tuple[int, ...]) -> None:
    choices: dict[str, Any] = {"ids": ids, "low": 0.2, "trees": 1, "post_transform": "PROBIT"}
    assert_same_on_a_grid(regressor(np.random.default_rng(4), n_targets=len(ids), **choices), tolerance=1e-5)
    if len(ids) > 1:
        assert_same_on_a_grid(classifier(np.random.default_rng(4), len(ids), **choices), tolerance=1e-5)


@pytest.mark.parametrize("ids", [(0, 2), (0, 1, 2)])
def test_scores_of_zero_stay_zero(ids: tuple[int, ...]) -> None:
    choices: dict[str, Any] = {"ids": ids, "n_targets": 3, "post_transform": "SOFTMAX_ZERO"}
    assert_same_on_a_grid(regressor(np.random.default_rng(4), **choices))
    model = newest(1)
    attributes = {attribute.name: attribute for attribute in model.graph.node[0].attribute}
    attributes["post_transform"].i, attributes["n_targets"].i = POST_TRANSFORMS.index("SOFTMAX_ZERO"), 3
    attributes["leaf_targetids"].ints[:] = [0, 1, 2, 1, 0]
    assert_same_on_a_grid(model)


@pytest.mark.parametrize("transform", ["LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"])
def test_functions_of_sums_that_have_no_one_meaning_are_refused(transform: str) -> None:
    model = regressor(np.random.default_rng(0), post_transform=transform)
    with pytest.raises(UnsupportedModelError, match=f"post_transform is {transform}, which the standard"):
        import_proto(model)


@pytest.mark.parametrize("transform", [1, 2])
def test_functions_of_the_newest_form_are_refused(transform: int) -> None:
    """onnxruntime takes SOFTMAX for LOGISTIC, and LOGISTIC for SOFTMAX."""
    model = newest(1)
    attribute = next(item for item in model.graph.node[0].attribute if item.name == "post_transform")
    attribute.i = transform
    with pytest.raises(UnsupportedModelError, match=f"post_transform is {POST_TRANSFORMS[transform]}"):
        import_proto(model)


def test_opposite_scores_have_a_label() -> None:
    attributes = random_trees(np.random.default_rng(3), "class", features=FEATURES, ids=(0, 1))
    weights = attributes["class_weights"]
    weights[1::2] = [-weight for weight in weights[::2]]
    model = classical(
        "TreeEnsembleClassifier", attributes | {"classlabels_int64s": [0, 1]}, FEATURES, ("y", "p")
    )
    assert_same_on_a_grid(model)


@pytest.mark.parametrize("low", [0.0, -1.0])
@pytest.mark.parametrize("labels", [[0, 1], [7, 3]])
def test_labels_of_one_score(low: float, labels: list[int]) -> None:
    choices: dict[str, Any] = {
        "ids": (0,),
        "low": low,
        "post_transform": "LOGISTIC",
        "classlabels_int64s": labels,
    }
    assert_same_on_a_grid(classifier(np.random.default_rng(3), 2, proven=("y", "p"), **choices))


def test_labels_of_three_classes() -> None:
    random = np.random.default_rng(3)
    assert_same_on_a_grid(classifier(random, 3, proven=("y", "p"), ids=(0, 1, 2)))


def test_branches_that_meet_again() -> None:
    """As LightGBM's categories are exported: each of two values leads to the same nodes."""
    nodes: dict[str, Any] = {
        "nodes_treeids": [0] * 6,
        "nodes_nodeids": list(range(6)),
        "nodes_modes": ["BRANCH_EQ", "BRANCH_LEQ", "BRANCH_EQ", "LEAF", "LEAF", "LEAF"],
        "nodes_featureids": [0, 1, 0, 0, 0, 0],
        "nodes_values": [1.0, 0.5, 2.0, 0.0, 0.0, 0.0],
        "nodes_truenodeids": [1, 3, 1, 0, 0, 0],
        "nodes_falsenodeids": [2, 4, 5, 0, 0, 0],
        "n_targets": 1,
    }
    leaves = {"target_treeids": [0] * 3, "target_nodeids": [3, 4, 5], "target_ids": [0] * 3}
    source = classical("TreeEnsembleRegressor", {**nodes, **leaves, "target_weights": [1.0, 2.0, 4.0]}, 2)
    graph = import_proto(source).graph
    session = onnxruntime.InferenceSession(source.SerializeToString())
    for row in itertools.product([0.0, 1.0, 2.0, 3.0], [0.0, 1.0]):
        x = np.array([row], dtype=np.float32)
        (expected,) = session.run(None, {"x": x})
        assert evaluate(graph, {"x": x.astype(np.float64)})["y"] == expected


def test_branches_that_meet_too_often_are_refused() -> None:
    """Of a chain of nodes each of whose branches lead to the next one."""
    size = 40
    nodes: dict[str, Any] = {
        "nodes_treeids": [0] * (size + 1),
        "nodes_nodeids": list(range(size + 1)),
        "nodes_modes": ["BRANCH_LEQ"] * size + ["LEAF"],
        "nodes_featureids": [0] * (size + 1),
        "nodes_values": [float(k) for k in range(size + 1)],
        "nodes_truenodeids": [*range(1, size + 1), 0],
        "nodes_falsenodeids": [*range(1, size + 1), 0],
        "n_targets": 1,
    }
    leaf = {"target_treeids": [0], "target_nodeids": [size], "target_ids": [0], "target_weights": [1.0]}
    with pytest.raises(UnsupportedModelError, match="make more than 65536 leaves"):
        import_proto(classical("TreeEnsembleRegressor", {**nodes, **leaf}, 2))


def test_malformed_trees_are_refused() -> None:
    attributes = {**random_trees(np.random.default_rng(0), features=FEATURES), "n_targets": 1}
    looping = {**attributes, "nodes_truenodeids": [0 for _ in attributes["nodes_truenodeids"]]}
    beyond = {**attributes, "nodes_featureids": [9 for _ in attributes["nodes_featureids"]]}
    short = {**attributes, "nodes_values": attributes["nodes_values"][1:]}
    strange = {**attributes, "nodes_modes": ["BRANCH_SO"] * len(attributes["nodes_modes"])}
    for changed, reason in (
        (looping, "malformed"),
        (beyond, "feature 9 of 4"),
        (short, "malformed"),
        (strange, "malformed"),
    ):
        with pytest.raises(UnsupportedModelError, match=reason):
            import_proto(classical("TreeEnsembleRegressor", changed, FEATURES))
