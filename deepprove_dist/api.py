"""The package's functions: set up, prove, estimate, audit, look into files.

Verifying is in `deepprove_dist.verifier`, which loads less. `import deepprove_dist as dp` gives all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.errors import InputError
from deepprove_dist.importing.load import ImportedModel, import_model
from deepprove_dist.keys import load_proving_key, make_pool, save_keys
from deepprove_dist.memory import peak_rss_bytes, release_free_memory
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.key import VerifyingKey
from deepprove_dist.protocol.parameters import Profile, Weights
from deepprove_dist.protocol.statement import require_context
from deepprove_dist.protocol.table import IntArray
from deepprove_dist.prover import Options, ProvingKey
from deepprove_dist.prover import prove as prove_trace
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import QuantisedModel
from deepprove_dist.quantise.report import layer_errors
from deepprove_dist.quantise.score import score as score_model
from deepprove_dist.quantise.select import quantise_best
from deepprove_dist.retry import without_liars
from deepprove_dist.samples import (
    Samples,
    arrange_one_or_more,
    check_samples,
    quantise_inputs,
    read_samples,
)
from deepprove_dist.timing import timed
from deepprove_dist.verifier import verify

__all__ = [
    "InferenceResult",
    "Keys",
    "ProofResult",
    "SetupReport",
    "infer",
    "load_input",
    "load_proving_key",
    "prove",
    "save_keys",
    "setup",
]

Progress = Callable[[str, float], None]
"""Called with the name of a step and the share of it that is done."""

FloatArray = npt.NDArray[np.float64]
Inputs = npt.ArrayLike | Mapping[str, npt.ArrayLike]


@dataclass(frozen=True)
class SetupReport:
    """What a setup found and how long it took.

    `layers` has one record an accumulator, `range_rule` says how ranges were calibrated. Accuracies are None
    without samples to score; `clamped_samples` counts those of them with values beyond the calibrated range.
    """

    parameters: int
    quantise_ms: float
    setup_ms: float
    float_accuracy: float | None
    quantised_accuracy: float | None
    agreement: float | None
    clamped_samples: int
    range_rule: str
    layers: list[dict[str, Any]]


@dataclass(frozen=True)
class Keys:
    """The keys of a model and the report of their making."""

    proving: ProvingKey
    report: SetupReport = field(repr=False)

    @property
    def verifying(self) -> VerifyingKey:
        """What a verifier needs."""
        return self.proving.verifying


@dataclass(frozen=True)
class InferenceResult:
    """What the integer model computes: real values and integers, [samples, *shape] by name."""

    output: Mapping[str, FloatArray]
    output_integers: Mapping[str, npt.NDArray[np.int64]]
    inference_ms: float


@dataclass(frozen=True)
class ProofResult:
    """A proof's bytes, what it proves, and how long it took.

    `proving_ms` runs from the finished integer inference to the proof's bytes. `output` has the real values,
    [samples, *shape] by name.
    """

    proof: bytes
    output: Mapping[str, FloatArray]
    output_integers: Mapping[str, npt.NDArray[np.int64]]
    inference_ms: float
    proving_ms: float
    self_check_ms: float
    peak_rss_bytes: int

    def __bytes__(self) -> bytes:
        return self.proof


def setup(
    model: str | Path,
    calibration: str | Path | Samples,
    *,
    score: str | Path | Samples | None = None,
    activation_bits: int = 8,
    calibration_method: str = "auto",
    weights: Weights = "committed",
    profile: Profile = "default",
    max_batch: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Keys:
    """Quantises an ONNX model on calibration samples and makes its keys.

    `calibration_method` ("max", "percentile", "mse", or "auto", the best of them) says how the samples set
    the ranges of tensors.

    Raises ModelError, UnsupportedModelError (with every unsupported node), SamplesError, QuantisationError,
    SecurityError, or OSError for files that cannot be read.
    """
    step = progress or (lambda name, share: None)
    how = activation_bits, calibration_method
    integer_model, report = _quantise(model, calibration, score, how, step)
    # Keys of a large model take the memory that its float form held.
    release_free_memory()
    step("keys", 0.0)
    begin = time.perf_counter()
    proving = ProvingKey(integer_model, Options(weights, profile, max_batch), make_pool(threads))
    report = replace(report, setup_ms=_milliseconds(begin))
    step("keys", 1.0)
    return Keys(proving, report)


@timed("quantisation", "setup")
def _quantise(
    model: str | Path,
    calibration: str | Path | Samples,
    score: str | Path | Samples | None,
    how: tuple[int, str],
    step: Progress,
) -> tuple[IntegerModel, SetupReport]:
    """The integer model, and the report but for the keys; `how` is activation bits and calibration method."""
    step("import", 0.0)
    begin = time.perf_counter()
    imported = import_model(Path(model))
    samples = _samples(imported, calibration)
    step("import", 1.0)
    step("quantisation", 0.0)
    float_model = FloatModel(imported)
    quantised = quantise_best(imported.graph, float_model, samples, *how)
    quantise_ms = _milliseconds(begin)
    step("quantisation", 1.0)
    step("report", 0.0)
    report = _report(imported, float_model, quantised, samples, score, quantise_ms)
    step("report", 1.0)
    return quantised.model, report


def load_input(model: IntegerModel, path: str | Path, index: int | range = 0) -> dict[str, FloatArray]:
    """A sample of a file, or several, real values [samples, *shape] by input name. Raises SamplesError."""
    shapes = {tensor.name: tensor.shape for tensor in model.inputs}
    return dict(read_samples(Path(path), shapes).select(index).inputs)


def infer(model: IntegerModel, inputs: Inputs, *, clamp: bool = False) -> InferenceResult:
    """Runs the integer model on real inputs, without a proof. Inputs and errors are those of `prove`."""
    integers = quantise_inputs(model, _arrange(model, inputs), clamp=clamp)
    runner = IntegerRunner(model)
    begin = time.perf_counter()
    outputs = runner.run(integers).outputs
    inference_ms = _milliseconds(begin)
    real = {tensor.name: tensor.scale.array * outputs[tensor.name] for tensor in model.outputs}
    return InferenceResult(real, outputs, inference_ms)


def prove(
    proving: ProvingKey,
    inputs: Inputs,
    *,
    context: bytes = b"",
    clamp: bool = False,
    progress: Progress | None = None,
) -> ProofResult:
    """Runs the integer model on real inputs and proves the result.

    `inputs` is an array, or one for each input by name; several samples, as far as the key allows, have one
    more axis in front. `context`, at most 64 KB, is what else the proof is bound to. The proof is verified
    before it is returned; workers whose answers made it wrong are found, replaced, and the proof is made
    again.

    Raises InputRangeError for a value outside the calibrated range, unless `clamp` moves it to the end of it;
    InputError for shapes that do not fit, or a longer context; ExecutionError where workers fail and cannot
    be replaced.
    """
    step = progress or (lambda name, share: None)
    require_context(context)
    integers = quantise_inputs(proving.model, _arrange(proving.model, inputs), clamp=clamp)
    samples, most = len(next(iter(integers.values()))), proving.verifying.max_batch
    if samples > most:
        raise InputError(f"{samples} samples for keys that allow {most} in a proof (setup's max_batch)")
    return without_liars(
        lambda: _prove(proving, integers, samples, context, step), proving.audit, proving.proof
    )


def _prove(
    proving: ProvingKey, integers: Mapping[str, IntArray], samples: int, context: bytes, step: Progress
) -> ProofResult:
    """One attempt: inference, proof, and its verification."""
    begin = time.perf_counter()
    trace = proving.runner.run(integers)
    inference_ms = _milliseconds(begin)
    step("proof", 0.0)
    begin = time.perf_counter()
    with timed("proof", "whole") as call:
        proof = prove_trace(proving, trace, samples, context)
        call.bytes = len(proof)
    proving_ms = _milliseconds(begin)
    step("proof", 1.0)
    begin = time.perf_counter()
    statement = verify(proving.verifying, proof, weights=proving.public_weights)
    return ProofResult(
        proof,
        statement.output,
        statement.output_integers,
        inference_ms,
        proving_ms,
        _milliseconds(begin),
        peak_rss_bytes(),
    )


def _samples(imported: ImportedModel, source: str | Path | Samples, *, scored: bool = False) -> Samples:
    graph = imported.graph
    shapes = {name: graph.shapes[name] for name in graph.inputs}
    if isinstance(source, Samples):
        return check_samples(source, shapes)
    return read_samples(Path(source), shapes, scored=scored)


def _arrange(model: IntegerModel, inputs: Inputs) -> dict[str, FloatArray]:
    """Real inputs as [samples, *shape] by name."""
    tensors = model.inputs
    if not isinstance(inputs, Mapping):
        if len(tensors) != 1:
            names = [tensor.name for tensor in tensors]
            raise InputError(f"the model has several inputs: give a dict with an array for each of {names}")
        inputs = {tensors[0].name: inputs}
    if set(inputs) != {tensor.name for tensor in tensors}:
        raise InputError(f"inputs are {sorted(tensor.name for tensor in tensors)}, not {sorted(inputs)}")
    arrays = {
        tensor.name: arrange_one_or_more(f"input '{tensor.name}'", inputs[tensor.name], tensor.shape)
        for tensor in tensors
    }
    if len({len(array) for array in arrays.values()}) != 1:
        raise InputError("all inputs have the same number of samples")
    return arrays


def _report(
    imported: ImportedModel,
    float_model: FloatModel,
    quantised: QuantisedModel,
    calibration: Samples,
    score: str | Path | Samples | None,
    quantise_ms: float,
) -> SetupReport:
    found = None
    if score is not None:
        found = score_model(
            quantised.model, imported.graph, float_model, _samples(imported, score, scored=True)
        )
    errors = layer_errors(quantised, float_model, calibration)
    layers = [
        {
            "layer": error.layer.name,
            "kind": error.layer.kind,
            "weights": list(error.layer.weight_shape),
            "bits": error.layer.weight_bits,
            "shift": error.layer.shift,
            "limbs": list(error.layer.limbs),
            "table": error.layer.table_size,
            "bound": error.layer.bound,
            "error": None if error.relative is None else f"{error.relative:.2%}",
        }
        for error in errors
    ]
    return SetupReport(
        parameters=parameters(quantised.model),
        quantise_ms=quantise_ms,
        setup_ms=0.0,
        float_accuracy=None if found is None else found.float_accuracy,
        quantised_accuracy=None if found is None else found.quantised_accuracy,
        agreement=None if found is None else found.agreement,
        clamped_samples=0 if found is None else found.clamped,
        range_rule=quantised.range_rule,
        layers=layers,
    )


def parameters(model: IntegerModel) -> int:
    """Weights and biases of a model."""
    return sum(values.size for values in model.constants.values())


def _milliseconds(begin: float) -> float:
    return 1e3 * (time.perf_counter() - begin)
