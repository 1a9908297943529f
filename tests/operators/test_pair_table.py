"""Functions of two whole numbers: exact, proven, and not to be forged."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist import canonical
from deepprove_dist.arrays import FloatArray
from deepprove_dist.errors import FormatError, ModelError, QuantisationError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.pair_table import PairTable
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.prover import Prover, prove
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.comparison import differences
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.attacks.lies import bumped
from tests.attacks.lying_prover import LyingProver, accepted
from tests.attacks.models import make_key
from tests.importing.onnx_comparison import model
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.records import replace

POOL, SAMPLES = Pool(2), 20
CONSTANTS = "int32 seven = {7}, uint8 two = {2}, uint8[3] some = {1, 2, 5}, int64 k = {5}"
BODIES = {
    "Mod": ("int64", "y = Mod (x, z)"),
    "Mod as C has it": ("int64", "y = Mod <fmod = 1> (x, z)"),
    "Mod by a number": ("int64", "m = Mod (x, k) y = Mod (m, z)"),
    "BitwiseAnd": ("uint8", "y = BitwiseAnd (x, z)"),
    "BitwiseOr with constants": ("uint8", "o = BitwiseOr (x, some) y = BitwiseXor (o, z)"),
    "BitwiseXor": ("uint8", "y = BitwiseXor (x, z)"),
    "BitwiseNot": ("uint8", "n = BitwiseNot (x) y = BitwiseAnd (n, z)"),
    "left": ("uint8", 's = BitShift <direction = "LEFT"> (x, two) y = BitwiseOr (s, z)'),
    "right": ("uint8", 's = BitShift <direction = "RIGHT"> (x, two) y = BitwiseOr (s, z)'),
}


def drawn(kind: str) -> dict[str, FloatArray]:
    generator = np.random.default_rng(3)
    low = -20 if kind == "int64" else 0
    x = generator.integers(low, 21, (SAMPLES, 1, 3)).astype(np.float64)
    return {"x": x, "z": generator.integers(1, 10, (SAMPLES, 1, 3)).astype(np.float64)}


@pytest.mark.parametrize(("kind", "body"), BODIES.values(), ids=BODIES)
def test_integers_are_exact(kind: str, body: str) -> None:
    text = f"g ({kind}[1,3] x, {kind}[1,3] z) => ({kind}[1,3] y) <{CONSTANTS}> {{ {body} }}"
    imported = import_proto(model(text, opset=18))
    samples = Samples(drawn(kind), None)
    integer = quantise(imported.graph, calibrate(FloatModel(imported), samples)).model
    inputs = quantise_inputs(integer, samples.inputs)
    key = Prover.generate(integer, Options(max_batch=2), POOL)
    trace = key.runner.run({name: values[:2] for name, values in inputs.items()})
    statement = verify(key.verifying, prove(key, trace, 2))
    assert (statement.output_integers["y"] == trace.outputs["y"]).all()
    real = np.stack([values[imported.graph.outputs["y"]] for values in FloatModel(imported).run(samples)])
    assert (key.runner.outputs(inputs)["y"] == real).all()
    assert integer.outputs[0].scale.number == 1.0
    assert differences(integer, imported.graph) == []


def test_large_ranges_are_refused_by_name() -> None:
    text = "g (int64[1,3] x, int64[1,3] z) => (int64[1,3] y) { y = Mod (x, z) }"
    imported = import_proto(model(text))
    large = {name: values * 100 for name, values in drawn("int64").items()}
    with pytest.raises(QuantisationError, match="entries"):
        quantise(imported.graph, calibrate(FloatModel(imported), Samples(large, None)))


def node(table: Table) -> Node:
    return Node("pair_table", "n", ("a", "b"), "y", {"ends": (0, 2, 1, 2), "table": table})


def test_what_does_not_fit_is_refused() -> None:
    fitting = node(Table.from_values(0, [0, 1, 2, 3, 5, 8]))
    assert PairTable().interval(fitting, [(0, 2), (1, 2)], {}) == (0, 8)
    with pytest.raises(ModelError, match="not as stated"):
        PairTable().interval(fitting, [(0, 2), (0, 2)], {})
    with pytest.raises(ModelError, match="another size"):
        PairTable().interval(node(Table.from_values(0, [0, 1, 2])), [(0, 2), (1, 2)], {})
    with pytest.raises(ModelError, match="one shape"):
        PairTable().shape(fitting, [(1, 2), (1, 3)])
    with pytest.raises(ModelError, match="constant"):
        PairTable().interval(fitting, [(0, 2), (1, 2)], {"a": np.array([1])})


def pairs() -> IntegerModel:
    """Two layers cut to a few bits, and a table of both."""
    network = Network((1, 3))
    small = Table.from_values(0, [value // 32 for value in range(256)])
    first, second = (
        network.node(
            "requantise", (network.relu(network.dense("x", 4)),), {"shift": 0, "table": small, "limbs": ()}
        )
        for _ in range(2)
    )
    values = np.random.default_rng(5).integers(-9, 10, 64)
    attributes = {"ends": (0, 7, 0, 7), "table": Table.from_values(0, values)}
    return network.model(network.node("pair_table", (first, second), attributes))


def test_relations_hold_over_the_integers() -> None:
    check_inference(pairs(), {"x": np.random.default_rng(2).integers(-128, 128, (5, 1, 3))})


def test_a_value_that_is_off_is_refused() -> None:
    key = make_key(pairs(), folds=False)
    attacker = LyingProver(key, {"x": np.random.default_rng(4).integers(-128, 128, (1, 1, 3))})
    assert accepted(key, attacker.honest)
    (target,) = (node for node in attacker.model.nodes if node.operator == "pair_table")
    for index in range(4):
        lie = attacker.run(
            target,
            lambda honest, index=index: replace(  # type: ignore[misc]
                honest, output=bumped(honest.output, index, 1)
            ),
        )
        assert not accepted(key, attacker.attempt(lie))


def test_a_key_without_the_lookup_states_no_function() -> None:
    system = lower(pairs()).system
    kept = tuple(lookup for lookup in system.lookups if system.tables[lookup.table].size != 64)
    assert len(kept) == len(system.lookups) - 1
    with pytest.raises(FormatError):
        check(canonical.replace(system, lookups=kept))
