"""Products of computed matrices: exact in integers, close to onnxruntime, proven, and not to be forged."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from deepprove_dist import canonical
from deepprove_dist.errors import FormatError, ModelError, UnsupportedModelError
from deepprove_dist.importing.load import ImportedModel, import_proto
from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.contraction import Contraction
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.protocol.system.check import check
from deepprove_dist.prover import Prover, prove
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.attacks.lies import bumped
from tests.attacks.lying_prover import LyingProver, accepted
from tests.attacks.models import make_key
from tests.importing.onnx_comparison import assert_same
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.operators.proving import compare
from tests.protocol.example import ATTEMPT, SECRET
from tests.records import replace

POOL, SAMPLES = Pool(2), 24
ATTRIBUTES: dict[str, Attribute] = {
    "left": (0, 1, 2, 4),
    "right": (0, 1, 3, 4),
    "outputs": 4,
    "contracted": (4,),
}
NODE = Node("contraction", "n", ("a", "b"), "y", ATTRIBUTES)
WEIGHTS = "float[4,3] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}"
BODIES = {
    "an output": "t = Transpose <perm=[0,2,1]> (z) y = MatMul (x, t)",
    "of layers, in front of a layer": "a = MatMul (x, v) b = MatMul (z, v) t = Transpose <perm=[0,2,1]> (b) "
    "m = MatMul (a, t) y = MatMul (m, b)",
    "under a function": "t = Transpose <perm=[0,2,1]> (z) m = MatMul (x, t) y = Tanh (m)",
    "einsum": 'y = Einsum <equation="bik,bjk->bij"> (x, z)',
    "einsum without an arrow": 'y = Einsum <equation="aik,ajk"> (x, z)',
    "einsum of all axes": 'y = Einsum <equation="bik,bjk->ijbk"> (x, z)',
    "einsum with an ellipsis": 'y = Einsum <equation="...ik,...jk->...ji"> (x, z)',
    "einsum that sums before": 'y = Einsum <equation="bik,bjl->bij"> (x, z)',
    "axes that broadcast": "s = constant_of_four r = Reshape (x, s) t = Transpose <perm=[0,2,1]> (z) "
    "y = MatMul (r, t)",
}
CONSTANTS = f"<{WEIGHTS}>"


def source(body: str, opset: int = 17) -> onnx.ModelProto:
    body = body.replace("constant_of_four", "Constant <value_ints=[5,1,1,4]> ()")
    text = f"g (float[1,5,4] x, float[1,6,4] z) => (float[n] y) {CONSTANTS} {{ {body} }}"
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}]> {text}')


def quantised(imported: ImportedModel) -> tuple[IntegerModel, Samples]:
    generator = np.random.default_rng(3)
    shapes = {name: imported.graph.shapes[name] for name in imported.graph.inputs}
    inputs = {name: generator.normal(size=(SAMPLES, *shape)) for name, shape in shapes.items()}
    samples = Samples(inputs, None)
    return quantise(imported.graph, calibrate(FloatModel(imported), samples)).model, samples


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_networks_with_contractions_are_imported_quantised_audited_and_proven(body: str) -> None:
    imported = assert_same(source(body))
    model, samples = quantised(imported)
    close, real = compare(imported, model, samples)
    assert np.sqrt(np.mean(np.square(close - real))) < 0.03 * real.std()
    assert any(node.operator == "contraction" for node in model.nodes)


MATRICES = {
    "vectors": ((4,), (4,)),
    "a vector on the left": ((4,), (2, 4, 3)),
    "a vector on the right": ((2, 3, 4), (4,)),
    "other ranks": ((3, 4), (2, 5, 4, 2)),
    "axes of size one": ((1, 3, 4), (2, 4, 1)),
    "four axes": ((2, 1, 3, 4), (1, 5, 4, 2)),
}


@pytest.mark.parametrize(("first", "second"), MATRICES.values(), ids=MATRICES)
def test_products_of_matrices_of_any_rank_are_those_of_onnxruntime(
    first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    # Reshaped, since the first axis of an input is that of samples.
    body = ""
    for name, shape in (("a", first), ("b", second)):
        flat = ",".join(map(str, shape))
        body += f"s{name} = Constant <value_ints=[{flat}]> () {name} = Reshape (x{name}, s{name}) "
    sizes = [int(np.prod(shape)) for shape in (first, second)]
    text = (
        f"g (float[1,{sizes[0]}] xa, float[1,{sizes[1]}] xb) => (float[n] y) {{ {body} y = MatMul (a, b) }}"
    )
    assert_same(onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> {text}'))


@pytest.mark.parametrize("transposed", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_gemm_of_computed_matrices(transposed: tuple[int, int]) -> None:
    shapes = [(4, 3) if transposed[0] else (3, 4), (5, 4) if transposed[1] else (4, 5)]
    body = ""
    for name, shape in zip("ab", shapes, strict=True):
        flat = ",".join(map(str, shape))
        body += f"s{name} = Constant <value_ints=[{flat}]> () {name} = Reshape (x{name}, s{name}) "
    body += f"y = Gemm <transA={transposed[0]}, transB={transposed[1]}, alpha=0.5> (a, b)"
    text = f"g (float[1,12] xa, float[1,20] xb) => (float[n] y) {{ {body} }}"
    assert_same(onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> {text}'))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('y = Einsum <equation="bii,bjk->ij"> (x, x)', "do not fit"),
        ("a = MatMul (x, v) y = Gemm (a, a, a)", "rank 2"),
    ],
)
def test_what_is_no_contraction_is_refused(body: str, reason: str) -> None:
    with pytest.raises((UnsupportedModelError, ModelError), match=reason):
        import_proto(source(body))


def attention() -> IntegerModel:
    """Two heads: products of queries and keys, and of these and the keys again."""
    network = Network((1, 3, 4))

    def heads(name: str) -> str:
        cut = network.node("reshape", (name,), {"shape": (1, 3, 2, 2)})
        return network.node("transpose", (cut,), {"permutation": (0, 2, 1, 3)})

    queries = heads(network.relu(network.linear("dense", "x", (4, 4), {})))
    keys = heads(network.relu(network.linear("dense", "x", (4, 4), {})))
    scores = network.relu(network.node("contraction", (queries, keys), {**ATTRIBUTES, "contracted": (2,)}))
    again = {"left": (0, 1, 2, 4), "right": (0, 1, 4, 3), "outputs": 4, "contracted": (3,)}
    return network.model(network.relu(network.node("contraction", (scores, keys), again)))


def test_integers_are_exact_and_relations_hold_over_them() -> None:
    generator = np.random.default_rng(2)
    first, second = (
        generator.integers(-99, 100, (2, 1, 2, 3, 4)),
        generator.integers(-99, 100, (2, 1, 2, 5, 4)),
    )
    inference = Contraction().infer(NODE, [first, second])
    assert (inference.output == np.einsum("nbhik,nbhjk->nbhij", first, second)).all()
    assert Contraction().interval(NODE, [(-99, 99), (-3, 50)], {}) == (-4 * 99 * 50, 4 * 99 * 50)
    check_inference(attention(), {"x": generator.integers(-128, 128, (3, 1, 3, 4))})


def test_dimensions_that_are_cut_otherwise_are_brought_together() -> None:
    network = Network((1, 6, 4))
    cut = network.node("reshape", ("x",), {"shape": (1, 2, 12)})
    other = network.node("reshape", ("x",), {"shape": (1, 12, 2)})
    turned = network.node("transpose", (other,), {"permutation": (0, 2, 1)})
    labels: dict[str, Attribute] = {"left": (0, 1, 3), "right": (0, 2, 3), "outputs": 3, "contracted": (12,)}
    model = network.model(network.relu(network.node("contraction", (cut, turned), labels)))
    check_inference(model, {"x": np.random.default_rng(2).integers(-128, 128, (3, 1, 6, 4))})


@pytest.mark.parametrize(
    ("change", "shapes"),
    [
        ({"left": (0, 1, 2)}, None),
        ({"left": (0, 1, 2, 2)}, None),
        ({"right": (0, 1, 3, 5)}, None),
        ({"contracted": (5,)}, None),
        ({"outputs": 5}, None),
        ({"outputs": 10**18}, None),
        ({"outputs": -1, "contracted": (1, 2, 3, 5, 4, 1)}, None),
        ({}, [(1, 2, 3, 4), (1, 2, 5, 3)]),
    ],
)
def test_labels_that_do_not_fit_are_refused(
    change: dict[str, Attribute], shapes: list[tuple[int, ...]] | None
) -> None:
    node = replace(NODE, attributes={**ATTRIBUTES, **change})
    with pytest.raises(ModelError):
        Contraction().shape(node, shapes or [(1, 2, 3, 4), (1, 2, 5, 4)])
    with pytest.raises(ModelError, match="constant"):
        Contraction().interval(NODE, [(0, 1), (0, 1)], {"b": np.array([1])})


@pytest.mark.parametrize("hiding", [False, True])
def test_products_of_several_samples_are_proven_in_both_modes(hiding: bool) -> None:
    model = attention()
    x = {"x": np.random.default_rng(4).integers(-128, 128, (2, 1, 3, 4))}
    key = Prover.generate(model, Options(max_batch=2, hiding=hiding), POOL, SECRET if hiding else None)
    trace = key.runner.run(x)
    statement = verify(key.verifying, prove(key, trace, 2, b"", ATTEMPT if hiding else None))
    (output,) = model.outputs
    assert (statement.output_integers[output.name] == trace.outputs[output.name]).all()


def test_a_product_that_is_off_by_one_or_of_another_sample_is_refused() -> None:
    key = make_key(attention(), folds=False)
    attacker = LyingProver(key, {"x": np.random.default_rng(4).integers(-128, 128, (2, 1, 3, 4))})
    assert accepted(key, attacker.honest)
    node = next(node for node in attacker.model.nodes if node.operator == "contraction")
    for index in (0, 7, 35):
        for step in (1, -1):
            lie = attacker.run(
                node,
                lambda honest, index=index, step=step: replace(  # type: ignore[misc]
                    honest, output=bumped(honest.output, index, step)
                ),
            )
            assert not accepted(key, attacker.attempt(lie))
    mixed = attacker.run(node, lambda honest: replace(honest, output=honest.output[::-1].copy()))
    assert not accepted(key, attacker.attempt(mixed))


def test_a_key_whose_product_claims_a_smaller_range_is_refused() -> None:
    system = lower(attention()).system
    for index, relation in enumerate(system.relations):
        if relation.products and relation.name.startswith("contraction"):
            smaller = canonical.replace(relation, high=relation.high - 1)
            relations = (*system.relations[:index], smaller, *system.relations[index + 1 :])
            with pytest.raises(FormatError, match="claims a range"):
                check(canonical.replace(system, relations=relations))
