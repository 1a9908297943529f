"""ArgMax as a public output: exact, of equal scores the first, and no other index is taken."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

import deepprove_dist as dp
from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import ModelError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.importing.selection import ModelSelection
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.lower import lower
from deepprove_dist.model.validate import analyse
from deepprove_dist.operators.arg_max import LARGEST_RANGE, ArgMaxOfRows, FloatArgMax
from deepprove_dist.operators.integer_operator import Inference
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Table
from tests.attacks.lying_prover import LyingProver, accepted
from tests.attacks.models import make_key
from tests.importing.onnx_comparison import model
from tests.operators.proving import assert_proven_in_both_modes
from tests.records import replace

SIZE, ROWS = 7, 3
ONE = Scale.of(1.0)


def arg_max(shape: tuple[int, ...] = (ROWS, SIZE), low: int = -5, high: int = 5) -> IntegerModel:
    node = Node(ArgMaxOfRows.name, "top", ("x",), "t", {"size": shape[-1]})
    inputs = (ModelTensor("x", shape, low, high, ONE),)
    return IntegerModel(inputs, (ModelTensor("t", shape[:-1], 0, shape[-1] - 1, ONE),), {}, (node,))


def weighted() -> IntegerModel:
    """The same of scores that a layer computes, so that a key has committed weights: the identity's."""
    reach = Table.from_values(-5, np.arange(-5, 6))
    first = Node("dense", "layer", ("x", "w"), "a", {})
    clamp = Node("requantise", "layer", ("a",), "s", {"shift": 0, "table": reach, "limbs": ()})
    last = replace(arg_max().nodes[0], inputs=("s",))
    return replace(arg_max(), constants={"w": np.eye(SIZE, dtype=np.int64)}, nodes=(first, clamp, last))


def scores(samples: int = 2, shape: tuple[int, ...] = (ROWS, SIZE)) -> dict[str, IntArray]:
    """With ties: the first row is all equal, the second has its largest score twice. Samples differ."""
    x = np.random.default_rng(7).integers(-5, 5, (samples, *shape))
    if len(shape) == 2:
        x[0, 0], x[0, 1, 2], x[0, 1, 5] = 3, 5, 5
    return {"x": x}


@pytest.mark.parametrize("shape", [(ROWS, SIZE), (SIZE,), (2, 3, 4), (1, 5, 1, 2)])
def test_it_is_proven_in_both_modes(shape: tuple[int, ...]) -> None:
    assert_proven_in_both_modes(arg_max(shape), scores(shape=shape))


def test_its_index_is_the_first_of_the_largest() -> None:
    inference = ArgMaxOfRows().infer(arg_max().nodes[0], [scores()["x"]])
    assert (inference.output == scores()["x"].argmax(axis=-1)).all()
    assert inference.output[0].tolist()[:2] == [0, 2]
    assert (inference.columns["largest"] == scores()["x"].max(axis=-1)).all()
    assert inference.columns["margin"].min() == 0


@pytest.fixture(scope="module", params=[False, True], ids=["transparent", "hiding"])
def attacker(request: pytest.FixtureRequest) -> LyingProver:
    return LyingProver(make_key(weighted(), hiding=bool(request.param), folds=False), scores())


def test_no_other_index_is_taken(attacker: LyingProver) -> None:
    """With the honest largest score and margins, those of the stated index, and mixtures of both."""
    node = attacker.model.nodes[-1]
    honest, x = attacker.inference(node), attacker.inputs["x"]
    assert accepted(attacker.key, attacker.honest)
    for row in range(ROWS):
        for index in range(SIZE):
            sample = index % 2
            if index == honest.output[sample, row]:
                continue
            indices = honest.output.copy()
            indices[sample, row] = index
            largest = np.take_along_axis(x, indices[..., None], -1)[..., 0]
            before = np.arange(SIZE) < indices[..., None]
            margins = largest[..., None] - x - before
            kept = honest.columns["largest"][..., None] - x - before
            for columns in (
                honest.columns,
                {"largest": largest, "margin": margins},
                {"largest": honest.columns["largest"], "margin": kept},
                {"largest": largest, "margin": np.maximum(margins, 0)},
                {"largest": honest.columns["largest"], "margin": honest.columns["margin"]},
            ):
                lie = Inference(indices, columns)
                trace = attacker.run(node, lambda _, lie=lie: lie)  # type: ignore[misc]
                assert not accepted(attacker.key, attacker.attempt(trace)), (row, index)


def test_no_other_witness_of_the_right_index_is_taken(attacker: LyingProver) -> None:
    node = attacker.model.nodes[-1]
    honest = attacker.inference(node)
    raised = honest.columns["largest"] + (np.arange(ROWS) == 1)
    for columns in (
        {**honest.columns, "largest": raised},
        {"largest": raised, "margin": honest.columns["margin"] + (np.arange(ROWS) == 1)[:, None]},
        {**honest.columns, "margin": honest.columns["margin"] ^ 1},
    ):
        trace = attacker.run(node, lambda _, c=columns: Inference(honest.output, c))  # type: ignore[misc]
        assert not accepted(attacker.key, attacker.attempt(trace))


def test_a_statement_of_another_index_with_an_honest_witness(attacker: LyingProver) -> None:
    """The relations are those of the statement, and the output is bound to it."""
    honest = attacker.honest.trace.outputs["t"]
    assert (honest[0] != honest[1]).all()
    for indices in (
        (honest + 1) % SIZE,
        (honest + 3) % SIZE,
        # Those of the other sample, in one and in both; those of another row.
        honest[::-1].copy(),
        honest[[0, 0]],
        honest[[1, 1]],
        np.roll(honest, 1, axis=1),
    ):
        trace = replace(attacker.honest.trace, outputs={"t": indices})
        assert not accepted(attacker.key, attacker.state(trace))


def test_models_that_are_refused() -> None:
    node = arg_max().nodes[0]
    for size in (1, SIZE + 1, -SIZE):
        with pytest.raises(ModelError, match="the largest of"):
            analyse(replace(arg_max(), nodes=(replace(node, attributes={"size": size}),)))
    with pytest.raises(ModelError, match="too large a table"):
        analyse(arg_max(low=0, high=LARGEST_RANGE))
    table = Table.from_values(0, np.arange(1, SIZE + 1))
    later = Node("requantise", "next", ("t",), "u", {"shift": 0, "table": table, "limbs": ()})
    output = ModelTensor("u", (ROWS,), 1, SIZE, ONE)
    inner = replace(arg_max(), nodes=(node, later), outputs=(output,))
    with pytest.raises(ModelError, match="no public output"):
        lower(inner)


BODY = "y = ArgMax <axis={axis}, keepdims={keepdims}, select_last_index={last}> (x) {more}"


@pytest.mark.parametrize(
    ("shape", "axis", "keepdims", "last", "more", "hidden", "public"),
    [
        ("1,3,40", 2, 0, 0, "", (), True),
        ("1,3,40", -1, 0, 0, "", (), True),
        ("1,40", 1, 0, 0, "", (), True),
        ("1,3,40", 1, 0, 0, "", (), False),
        ("1,3,31", 2, 0, 0, "", (), False),
        ("1,3,40", 2, 1, 0, "", (), False),
        ("1,3,40", 2, 0, 1, "", (), False),
        ("1,3,40", 2, 0, 0, "z = Cast <to=1> (y)", (), False),
        ("1,3,40", 2, 0, 0, "", ("y",), False),
    ],
)
def test_outputs_that_nothing_reads_and_nobody_hides_are_public(
    shape: str, axis: int, keepdims: int, last: int, more: str, hidden: tuple[str, ...], public: bool
) -> None:
    body = BODY.format(axis=axis, keepdims=keepdims, last=last, more=more)
    outputs = "int64[n] y, float[n] z" if more else "int64[n] y"
    source = model(f"g (float[{shape}] x) => ({outputs}) {{ {body} }}")
    for value in source.graph.output:
        value.type.tensor_type.ClearField("shape")
    graph = import_proto(source, ModelSelection.of((), None, hidden=hidden)).graph
    assert any(isinstance(node, FloatArgMax) for node in graph.nodes) == public


def test_a_large_vocabulary_has_a_small_key() -> None:
    """A tournament of as many scores would be refused: its views cost a verifier too much."""
    size = 50257
    source = model("g (float[1,2,4] x) => (float[1,2,n] y) { y = MatMul (x, w) }")
    source.graph.output[0].type.tensor_type.ClearField("shape")
    weight = np.random.default_rng(0).normal(size=(4, size)).astype(np.float32)
    source.graph.initializer.append(onnx.numpy_helper.from_array(weight, "w"))
    estimate = dp.estimate(source, output_form="argmax", transparent=True)
    assert estimate.lookups < 3.5 * 2 * size
