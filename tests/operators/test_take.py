"""Selections along an axis: as onnxruntime has them, proven as views, and not to be forged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.checks import Check
from deepprove_dist.errors import FormatError, ModelError
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.importing.load import ImportedModel
from deepprove_dist.kernels import Pool
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.take import Take, take_node
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from tests.attacks.models import honest_attempt, make_key, prove_fast
from tests.attacks.reference_prover import ReferenceProver
from tests.attacks.test_convolutions import altered, image, require_rejection
from tests.execution.shared_keys import example
from tests.importing.onnx_comparison import assert_same
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.operators.proving import compare
from tests.records import replace

POOL, SAMPLES = Pool(2), 32
NUMBERS = {"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "last": -1, "start": -99}
CONSTANTS = (
    "float[6,4] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1, 1, 0.5, -1, 0.5, 0.25, 2, -1, 0.5, "
    "0.75, 0.5, -2, 1}",
    "float[4,3] w = {1, -2, 3, 1, -1, 2, 0.5, 1, -1, 2, 0.25, -1}",
    "float[2,3,2,2] k = {1, -1, 0.5, 2, 0.25, 1, -2, 1, 0.5, -0.5, 1, 1, -1, 2, 0.5, 1, 1, -1, 0.25, 2, "
    "-1, 1, 0.5, 1}",
    "float[2,2,1,1] u = {1, -1, 0.5, 2}",
    *(f"int64[1] {name} = {{{value}}}" for name, value in NUMBERS.items()),
    "int64[2,3] many = {3, -4, 2, 2, 1, 0}, int64 second = {1}, int64[3] wide = {3, 2, 4}",
    "int64[2] sizes = {1, 3}, int64[6] around = {0, 1, 0, 0, 0, 2}, float half = {0.5}",
    "int64[8] border = {0, 0, 1, 2, 0, 0, 0, 1}, float[4] scales = {1, 1, 2, 1.5}, int64[2] square = {2, 4}",
    "int64[1,1] index = {0}, float[1,1,4] token = {0.5, -1, 0.25, 2}",
)
MATRIX = "float[1,2,6] x"
LAYER = "a = MatMul (x, v) "
BODIES: dict[str, tuple[str, str]] = {
    "columns of an output": (MATRIX, LAYER + "y = Slice (a, one, three, two)"),
    "the last of an output, backwards": (MATRIX, LAYER + "y = Slice (a, last, start, two, last)"),
    "every second input": (MATRIX, "s = Slice (x, one, four, last, two) r = Tile (s, wide) y = Tanh (r)"),
    "gathered in an output": (MATRIX, LAYER + "y = Gather <axis = 2> (a, many)"),
    "one row in front of a layer": (
        MATRIX,
        LAYER + "r = Relu (a) s = Gather <axis = 1> (r, second) y = MatMul (s, w)",
    ),
    "rows as an output": (MATRIX, LAYER + "y = Gather <axis = 1> (a, second)"),
    "parts that are added": (
        MATRIX,
        LAYER + "r = Relu (a) p, q = Split <axis = 2> (r) s = Sigmoid (q) t = Add (p, s) "
        "j = Concat <axis = 2> (t, p) y = MatMul (j, w)",
    ),
    "unequal parts as outputs": (MATRIX, LAYER + "p, y = Split <axis = 2> (a, sizes)"),
    "a part of a part": (
        MATRIX,
        LAYER + "r = Relu (a) s = Slice (r, one, four, two) t = Slice (s, last, start, two, last) "
        "j = Gather <axis = 2> (t, zero) y = Neg (j)",
    ),
    "an output of flattened values": (
        MATRIX,
        LAYER + "t = Transpose <perm = [0, 2, 1]> (a) f = Flatten (t) y = Slice (f, three, last, one, two)",
    ),
    "flattened and sliced in front of a function": (
        MATRIX,
        LAYER + "r = Relu (a) f = Flatten (r) s = Slice (f, one, last, one, three) y = Tanh (s)",
    ),
    "repeated": (MATRIX, "a = Slice (x, one, two, two) e = Expand (a, wide) y = Sigmoid (e)"),
    "repeated as an output": (MATRIX, LAYER + "s = Gather <axis = 2> (a, one) y = Expand (s, wide)"),
    "images turned before and after a layer": (
        "float[1,3,4,4] x",
        "t = Slice (x, last, start, three, last) c = Conv (t, k) r = Relu (c) "
        "s = Slice (r, last, start, two, last) y = Conv <kernel_shape = [1, 1]> (s, u)",
    ),
    "a corner of a convolution": (
        "float[1,3,4,4] x",
        "c = Conv (x, k) s = Slice (c, one, three, two) y = Slice (s, zero, two, three)",
    ),
    "every second position of a convolution": (
        "float[1,3,4,4] x",
        "c = Conv (x, k) y = Slice (c, zero, three, three, two)",
    ),
    "padded with a number in front of a layer": (
        MATRIX,
        LAYER
        + "r = Relu (a) p = Pad (r, around, half) s = Slice (p, one, last, two) q = Pad (s, around, half) "
        "f = Flatten (q) y = Tanh (f)",
    ),
    "padded with a number as an output": (MATRIX, LAYER + "y = Pad (a, around, half)"),
    "padded by reflection": (
        "float[1,3,4,4] x",
        'p = Pad <mode = "reflect"> (x, border) c = Conv (p, k) y = Relu (c)',
    ),
    "nearest positions between convolutions": (
        "float[1,3,4,4] x",
        'c = Conv (x, k) r = Relu (c) s = Resize <mode = "nearest"> (r, , scales) y = Conv (s, u)',
    ),
    "blocks as channels": (
        "float[1,3,4,4] x",
        'd = SpaceToDepth <blocksize = 2> (x) e = DepthToSpace <blocksize = 2, mode = "CRD"> (d) '
        "c = Conv (e, k) y = Relu (c)",
    ),
    "rows replaced": (
        MATRIX,
        LAYER + "r = Relu (a) s = Reshape (r, square) t = Tanh (s) u1 = Slice (t, one, two, zero) "
        "z = ScatterND (s, index, u1) y = MatMul (z, w)",
    ),
    "constants before": (MATRIX, LAYER + "r = Relu (a) j = Concat <axis = 1> (token, r) y = MatMul (j, w)"),
    "a triangle": (MATRIX, LAYER + "r = Relu (a) t = Trilu (r) y = MatMul (t, w)"),
    "the input itself": (MATRIX, "s = Slice (x, one, three, two) y = Identity (s)"),
}
"""The input, and the nodes."""

FROM_ACCUMULATORS = (
    "columns of an output",
    "the last of an output, backwards",
    "gathered in an output",
    "rows as an output",
    "repeated as an output",
    "a corner of a convolution",
    "every second position of a convolution",
)


def source(inputs: str, body: str) -> onnx.ModelProto:
    constants = ", ".join(CONSTANTS)
    text = f"g ({inputs}) => (float y) <{constants}> {{ {body} }}"
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> {text}')
    # Its shape is inferred.
    model.graph.output[0].type.tensor_type.ClearField("shape")
    return model


def imported(name: str) -> ImportedModel:
    return assert_same(source(*BODIES[name]))


def samples_of(model: ImportedModel) -> Samples:
    return Samples({"x": np.random.default_rng(3).normal(size=(SAMPLES, *model.graph.shapes["x"]))}, None)


def quantised(model: ImportedModel) -> IntegerModel:
    return quantise(model.graph, calibrate(FloatModel(model), samples_of(model))).model


@pytest.mark.parametrize("name", BODIES)
def test_networks_are_imported_quantised_audited_and_proven(name: str) -> None:
    network = imported(name)
    samples, model = samples_of(network), quantised(network)
    close, real = compare(network, model, samples)
    # Inputs and layers have 8 bits.
    assert np.abs(close - real).max() < 0.08 * np.abs(real).max()


@pytest.mark.parametrize("name", FROM_ACCUMULATORS)
def test_a_selection_from_an_accumulator_commits_nothing_but_the_output(name: str) -> None:
    system = lower(quantised(imported(name))).system
    witness = [tensor for tensor in system.tensors if tensor.matrix is Matrix.WITNESS]
    assert len(witness) - len(system.tables) - len(system.inputs) == 1


@given(size=st.integers(1, 5), axis=st.integers(0, 2), fill=st.sampled_from((0, 7, -300)), data=st.data())
def test_elements_are_those_at_the_indices(size: int, axis: int, fill: int, data: st.DataObject) -> None:
    shape = tuple(size if k == axis else 2 for k in range(3))
    indices = tuple(data.draw(st.lists(st.integers(-1, size - 1), min_size=1, max_size=8)))
    node = take_node("n", "x", "y", axis, indices, fill)
    x = np.random.default_rng(0).integers(-100, 100, (2, *shape))
    parts = [np.full((2, *shape), fill) if i < 0 else x.take([i], 1 + axis) for i in indices]
    expected = np.concatenate([part.take([0], 1 + axis) for part in parts], 1 + axis)
    result = Take().infer(node, [x]).output
    assert np.array_equal(result, expected)
    assert Take().shape(node, [shape]) == result.shape[1:]
    low, high = Take().interval(node, [(-100, 99)], {})
    assert low <= result.min() <= result.max() <= high


@pytest.mark.parametrize(
    ("axis", "indices"), [(2, (0,)), (-1, (0,)), (0, (3,)), (0, (-2,)), (0, ()), (0, (0, 1, 2, 3, 4, 5, 6))]
)
def test_what_does_not_fit_is_refused(axis: int, indices: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"axis"):
        Take().shape(take_node("n", "x", "y", axis, indices), [(3, 4)])


def test_a_constant_beyond_the_field_is_refused() -> None:
    with pytest.raises(ModelError, match="beyond the field"):
        Take().interval(take_node("n", "x", "y", 0, (-1,), 1 << 31), [(0, 1)], {})


def selected(network: Network, x: str, axis: int, indices: tuple[int, ...], fill: int = 0) -> str:
    return network.node("take", (x,), {"axis": axis, "indices": indices, "fill": fill})


def filled() -> IntegerModel:
    """Selections of selections with constants, in front of a layer."""
    network = Network((1, 2, 4))
    x = selected(network, "x", 2, (3, -1, 0, 0, -1), 90)
    x = selected(network, x, 2, (-1, 4, 3, 1, 0, 0), -7)
    return network.model(network.dense(selected(network, x, 1, (1, -1, 0), 5), 3))


def of_flat_values() -> IntegerModel:
    """Selections of dimensions that are several axes: along one of them, and along all."""
    network = Network((1, 2, 3, 2))
    flat = network.node("reshape", ("x",), {"shape": (1, 12)})
    middle = selected(network, flat, 1, (4, 5, 0, 1, 10, 11, 6, 7))
    some = selected(network, flat, 1, (11, 3, 3, -1, 7, 0, 1, 2), 9)
    return network.model(network.dense(network.node("concat", (middle, some), {"axis": 1}), 2))


def of_an_accumulator() -> IntegerModel:
    """Outputs of a padded convolution: channels and rows, repeated, out of order, and a constant."""
    network = Network((1, 2, 4, 3))
    x = network.conv("x", (4, 2, 3, 2), pads=(1, 0, 1, 0))
    x = selected(network, selected(network, x, 1, (3, 0, -1, 0), 11), 2, (0, 2))
    return network.model(selected(network, x, 3, (1, 1, 0)))


def of_an_accumulator_in_limbs() -> IntegerModel:
    """Positions of a convolution in another order: no taps can follow such a list."""
    network = Network((1, 2, 4, 3))
    return network.model(selected(network, network.conv("x", (4, 2, 3, 2)), 2, (1, 0, -1), 4))


def of_shared_channels() -> IntegerModel:
    """Channels of a depthwise convolution, which both factors have."""
    network = Network((1, 3, 4, 3))
    return network.model(selected(network, network.conv("x", (3, 1, 2, 2), groups=3), 1, (2, 0, -1, 2)))


def stacked() -> IntegerModel:
    """Values with a new axis each, one after the other: a term covers its part of the new axis."""
    network = Network((1, 4))
    parts = [network.relu(network.dense("x", 3)) for _ in range(3)]
    parts = [network.node("reshape", (part,), {"shape": (1, 1, 3)}) for part in parts]
    joined = network.node("concat", tuple(parts), {"axis": 1})
    return network.model(network.dense(selected(network, joined, 1, (2, 0, 1, 1)), 2))


NETWORKS = {
    model.__name__: model
    for model in (
        filled,
        of_flat_values,
        of_an_accumulator,
        of_an_accumulator_in_limbs,
        of_shared_channels,
        stacked,
    )
}


@pytest.mark.parametrize("name", NETWORKS)
def test_relations_hold_over_the_integers(name: str) -> None:
    model = NETWORKS[name]()
    shape = model.inputs[0].shape
    check_inference(model, {"x": np.random.default_rng(2).integers(-128, 128, (3, *shape))})


def test_stacked_values_are_committed_once() -> None:
    network = lower(stacked()).system
    assert not [tensor.name for tensor in network.tensors if "input" in tensor.name]


LIES: dict[str, Callable[[list[int], int], tuple[list[int], int]]] = {
    "another element": lambda indices, fill: ([(indices[0] + 1) % 2, *indices[1:]], fill),
    "one element twice": lambda indices, fill: ([max(indices[1], 0), *indices[1:]], fill),
    "another constant": lambda indices, fill: (indices, fill + 1),
}
WITHOUT_A_CONSTANT = {"of_flat_values", "stacked"}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        (name, other)
        for name in NETWORKS
        for other in LIES
        if other != "another constant" or name not in WITHOUT_A_CONSTANT
    ],
)
def test_other_elements_than_the_key_says_are_refused(name: str, other: str) -> None:
    model = NETWORKS[name]()
    node = next(node for node in model.nodes if node.operator == "take")
    indices, fill = LIES[other](list(integers(node, "indices")), integer(node, "fill"))
    lie = IntegerRunner(altered(model, "take", indices=tuple(indices), fill=fill)).run(image(model))
    require_rejection(model, lie, image(model), Check.OPENING_CLAIM)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_key_without_one_of_its_statements_is_refused(name: str) -> None:
    system = lower(NETWORKS[name]()).system
    check(system)
    for kind in ("relations", "lookups"):
        statements = getattr(system, kind)
        for index in range(len(statements)):
            fewer = replace(system, **{kind: statements[:index] + statements[index + 1 :]})
            with pytest.raises(FormatError):
                check(fewer)


@pytest.mark.parametrize(
    ("name", "hiding"), [("filled", True), ("of_an_accumulator", False), ("stacked", True)]
)
def test_workers_and_the_definition_make_the_same_proof(name: str, hiding: bool, tmp_path: Path) -> None:
    case = example(NETWORKS[name](), tmp_path, samples=2, max_batch=2, hiding=hiding)
    assert case.prove(case.shared(InProcessExecutor(3, create_worker))) == case.proof
    key = make_key(NETWORKS[name](), hiding=hiding)
    attempt = honest_attempt(key, image(key.model))
    assert proof_file.dump(ReferenceProver(key, attempt).prove()) == proof_file.dump(prove_fast(key, attempt))
