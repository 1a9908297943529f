"""A network's whole way, for tests of operators: imported, quantised, proven, verified, audited, compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import onnx

from deepprove_dist import canonical
from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.errors import FormatError
from deepprove_dist.importing.load import ImportedModel
from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.integer_operator import Inference
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.system import System
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
from tests.importing.onnx_comparison import assert_same
from tests.protocol.example import ATTEMPT, SECRET
from tests.records import replace

POOL, SAMPLES = Pool(2), 32


def text_model(body: str, signature: str, constants: str = "", opset: int = 17) -> onnx.ModelProto:
    """A model in ONNX's text form; its output "y" has a shape that is inferred."""
    text = f"g ({signature}) => (float[n] y) {f'<{constants}>' if constants else ''} {{ {body} }}"
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}]> {text}')


def assert_proven(
    source: onnx.ModelProto, tolerance: float, *, scale: float = 1.0, shift: float = 0.0
) -> IntegerModel:
    """The model is imported, quantised, proven and audited. Its output "y" is close to the float model's.

    The error is the root of the mean square over the output's spread. Inputs are normal, scaled and shifted.
    """
    imported = assert_same(source)
    model, samples = quantised(imported, scale, shift)
    close, real = compare(imported, model, samples)
    assert np.sqrt(np.mean(np.square(close - real))) <= tolerance * real.std()
    return model


def compare(imported: ImportedModel, model: IntegerModel, samples: Samples) -> tuple[FloatArray, FloatArray]:
    """The output "y" of the integers, and of the floats, for all samples.

    Two of them are proven first. By audit the model is that of the float graph.
    """
    inputs = quantise_inputs(model, samples.inputs)
    key = Prover.generate(model, Options(max_batch=2), POOL)
    trace = key.runner.run({name: values[:2] for name, values in inputs.items()})
    statement = verify(key.verifying, prove(key, trace, 2))
    (output,) = model.outputs
    assert (statement.output_integers["y"] == trace.outputs["y"]).all()
    real = np.stack([values[imported.graph.outputs["y"]] for values in FloatModel(imported).run(samples)])
    assert differences(model, imported.graph) == []
    return key.runner.outputs(inputs)["y"] * output.scale.array, real


def quantised(
    imported: ImportedModel, scale: float = 1.0, shift: float = 0.0
) -> tuple[IntegerModel, Samples]:
    """An imported model for normal inputs, scaled and shifted, and these."""
    generator, shapes = np.random.default_rng(3), imported.graph.shapes
    inputs = {
        name: scale * generator.normal(size=(SAMPLES, *shapes[name])) + shift
        for name in imported.graph.inputs
    }
    samples = Samples(inputs, None)
    return quantise(imported.graph, calibrate(FloatModel(imported), samples)).model, samples


def assert_proven_in_both_modes(model: IntegerModel, inputs: Mapping[str, IntArray]) -> None:
    """Transparent and hiding proofs of some samples are taken."""
    batch = len(next(iter(inputs.values())))
    for hiding in (False, True):
        options = Options(max_batch=batch, hiding=hiding)
        key = Prover.generate(model, options, POOL, SECRET if hiding else None)
        trace = key.runner.run(inputs)
        statement = verify(key.verifying, prove(key, trace, batch, b"", ATTEMPT if hiding else None))
        for name, values in trace.outputs.items():
            assert (statement.output_integers[name] == values).all()


def assert_lies_refused(
    attacker: LyingProver, operator: str, lies: Mapping[str, Callable[[Inference], Inference]]
) -> None:
    """No change of what the operator's first node computes is taken, with all that follows it honest."""
    assert accepted(attacker.key, attacker.honest)
    node = next(node for node in attacker.model.nodes if node.operator == operator)
    honest = attacker.inference(node)
    for name, lie in lies.items():
        changed = lie(honest)
        same = [np.array_equal(changed.columns[key], values) for key, values in honest.columns.items()]
        assert not (all(same) and np.array_equal(changed.output, honest.output)), name
        assert not accepted(attacker.key, attacker.attempt(attacker.run(node, lie))), name


def changed(
    output: tuple[int, int] | None = None, **columns: tuple[int, int]
) -> Callable[[Inference], Inference]:
    """A change of one element of the output, and of columns: each an index of the flat array and a step."""

    def change(honest: Inference) -> Inference:
        moved = {name: bumped(honest.columns[name], *where) for name, where in columns.items()}
        result = honest.output if output is None else bumped(honest.output, *output)
        return replace(honest, output=result, columns={**honest.columns, **moved})

    return change


def assert_every_lookup_is_needed(model: IntegerModel) -> None:
    """The system without any one of its lookups, or of its relations, is refused."""
    system = lower(model).system
    check(system)
    for index in range(len(system.lookups)):
        kept = (*system.lookups[:index], *system.lookups[index + 1 :])
        assert _is_refused(canonical.replace(system, lookups=kept))
    for index in range(len(system.relations)):
        relations = (*system.relations[:index], *system.relations[index + 1 :])
        assert _is_refused(canonical.replace(system, relations=relations))


def _is_refused(system: System) -> bool:
    try:
        check(system)
    except FormatError:
        return True
    return False
