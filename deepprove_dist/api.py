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

from deepprove_dist.arrays import IntArray
from deepprove_dist.choices import require_choice, require_kind
from deepprove_dist.errors import AccuracyError, AccuracyWarning, InputError, SamplesError
from deepprove_dist.importing.load import ImportedModel, import_model
from deepprove_dist.keys import load_proving_key, make_pool, require_threads, save_keys
from deepprove_dist.memory import peak_rss_bytes, release_free_memory
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.key import VerifyingKey
from deepprove_dist.protocol.parameters import DEFAULT_SECURITY_BITS, Profile, Weights
from deepprove_dist.protocol.statement import require_context
from deepprove_dist.prover import Options, ProvingKey
from deepprove_dist.prover import prove as prove_trace
from deepprove_dist.quantise.diagnosis import Diagnosis, diagnose
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import ACTIVATION_BITS, QuantisedModel
from deepprove_dist.quantise.ranges import METHODS
from deepprove_dist.quantise.select import quantise_best
from deepprove_dist.quantise.summary import (
    InputSummary,
    LayerSummary,
    OutputSummary,
    summarise_inputs,
    summarise_layer,
    summarise_outputs,
)
from deepprove_dist.quantise.usable import require_usable
from deepprove_dist.retry import without_faulty_workers
from deepprove_dist.samples import (
    Samples,
    arrange_one_or_more,
    quantise_inputs,
    read_samples,
)
from deepprove_dist.timing import timed
from deepprove_dist.verifier import verify

__all__ = [
    "InferenceResult",
    "InputSummary",
    "Keys",
    "LayerSummary",
    "OutputSummary",
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
SampleSource = str | Path | Samples | npt.NDArray[Any] | Mapping[str, npt.ArrayLike]
"""Samples, or what they are made of: a file's path, an array, or one for each input by name."""


@dataclass(frozen=True)
class SetupReport:
    """What a setup found and how long it took.

    `range_rule` says how ranges were calibrated, `warnings` what makes the model inexact. With samples to
    score, `float_accuracy` and `quantised_accuracy` are shares of right labels, `float_error` and
    `quantised_error` distances from targets (roots of mean squares), `agreement` is the share of equal
    answers, the least of all outputs, and `clamped_samples` counts those with values beyond the calibrated
    range. What was not measured is None.
    """

    parameters: int
    quantise_ms: float
    setup_ms: float
    float_accuracy: float | None
    quantised_accuracy: float | None
    float_error: float | None
    quantised_error: float | None
    agreement: float | None
    clamped_samples: int
    range_rule: str
    inputs: tuple[InputSummary, ...]
    layers: tuple[LayerSummary, ...]
    outputs: tuple[OutputSummary, ...]
    warnings: tuple[AccuracyWarning, ...]


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

    proof: bytes = field(repr=False)
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
    calibration: SampleSource,
    *,
    score: SampleSource | None = None,
    activation_bits: int = 8,
    calibration_method: str = "auto",
    weights: Weights = "committed",
    profile: Profile = "default",
    max_batch: int = 1,
    security: int = DEFAULT_SECURITY_BITS,
    accept_error: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Keys:
    """Quantises an ONNX model on calibration samples and makes its keys.

    `calibration_method` ("max", "margin", "percentile", "mse", or "auto", the best) says how the samples set
    the ranges of tensors. The report's `warnings` say where the model is inexact, and why. `security` is 100
    or 128: the bits that all errors of the protocol together reach.

    Raises ChoiceError for a choice that there is not, ModelError, UnsupportedModelError (with every
    unsupported node), SamplesError, QuantisationError, SecurityError, or OSError for files that cannot be
    read. Raises AccuracyError, with the warnings, for a model whose outputs are off by more than a fifth of
    their spread, unless `accept_error`.
    """
    # All choices are checked before the work begins.
    options = Options(weights, profile, max_batch, security)
    require_choice("activation_bits", activation_bits, ACTIVATION_BITS)
    require_choice("calibration_method", calibration_method, METHODS)
    require_threads(threads)
    step = progress or (lambda name, share: None)
    how = activation_bits, calibration_method
    integer_model, report, refused = _quantise(model, calibration, score, how, step)
    if refused and not accept_error:
        raise AccuracyError(report.warnings)
    # Keys of a large model take the memory that its float form held.
    release_free_memory()
    step("keys", 0.0)
    begin = time.perf_counter()
    proving = ProvingKey.generate(integer_model, options, make_pool(threads))
    report = replace(report, setup_ms=_milliseconds(begin))
    step("keys", 1.0)
    return Keys(proving, report)


@timed("quantisation", "setup")
def _quantise(
    model: str | Path,
    calibration: SampleSource,
    score: SampleSource | None,
    how: tuple[int, str],
    step: Progress,
) -> tuple[IntegerModel, SetupReport, bool]:
    """The integer model, the report but for the keys, and whether the model is too inexact; `how` is
    activation bits and calibration method.
    """
    step("import", 0.0)
    begin = time.perf_counter()
    imported = import_model(Path(model))
    samples = _samples(imported, calibration)
    scored = None if score is None else _samples(imported, score, scored=True)
    warnings = require_usable(samples)
    step("import", 1.0)
    step("quantisation", 0.0)
    float_model = FloatModel(imported)
    selection = quantise_best(float_model, samples, *how)
    quantise_ms = _milliseconds(begin)
    step("quantisation", 1.0)
    step("report", 0.0)
    diagnosis = diagnose(float_model, selection, how[0], scored)
    report = _report(selection.final.quantised, diagnosis, samples, warnings, quantise_ms)
    step("report", 1.0)
    return selection.final.quantised.model, report, diagnosis.refused


def load_input(model: IntegerModel, path: str | Path, index: int | range = 0) -> dict[str, FloatArray]:
    """A sample of a file, or several, real values [samples, *shape] by input name. Raises SamplesError."""
    shapes = {tensor.name: tensor.shape for tensor in model.inputs}
    return dict(read_samples(Path(path), shapes).select(index).inputs)


def infer(model: IntegerModel, inputs: Inputs, *, clamp: bool = False) -> InferenceResult:
    """Runs the integer model on real inputs, without a proof. Inputs and errors are those of `prove`."""
    require_kind("infer", model, IntegerModel, "an integer model (keys.proving.model)")
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
    require_kind("prove", proving, ProvingKey, "a proving key (keys.proving, or load_proving_key(folder))")
    step = progress or (lambda name, share: None)
    require_context(context)
    integers = quantise_inputs(proving.model, _arrange(proving.model, inputs), clamp=clamp)
    samples, most = len(next(iter(integers.values()))), proving.verifying.max_batch
    if samples > most:
        raise InputError(f"{samples} samples for keys that allow {most} in a proof (setup's max_batch)")
    return without_faulty_workers(
        lambda: _prove(proving, integers, samples, context, step),
        proving.backend.audit,
        proving.backend.attempt,
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


def _samples(imported: ImportedModel, source: SampleSource, *, scored: bool = False) -> Samples:
    graph = imported.graph
    shapes = {name: graph.shapes[name] for name in graph.inputs}
    if isinstance(source, Samples):
        return source.checked(shapes)
    if isinstance(source, (str, Path)):
        return read_samples(Path(source), shapes, scored=scored)
    if isinstance(source, (np.ndarray, Mapping)):
        return Samples.from_arrays(source, shapes)
    raise SamplesError(
        f"samples are a file's path, dp.Samples, an array, or arrays by input name, "
        f"not {type(source).__name__}"
    )


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
    quantised: QuantisedModel,
    diagnosis: Diagnosis,
    calibration: Samples,
    warnings: tuple[AccuracyWarning, ...],
    quantise_ms: float,
) -> SetupReport:
    explained = {(warning.layer, warning.cause) for warning in diagnosis.warnings}
    others = (warning for warning in warnings if (warning.layer, warning.cause) not in explained)
    scored = diagnosis.scored
    agreements = [] if scored is None else [output.agreement for output in scored.outputs]
    return SetupReport(
        parameters=parameters(quantised.model),
        quantise_ms=quantise_ms,
        setup_ms=0.0,
        float_accuracy=diagnosis.score.float_accuracy,
        quantised_accuracy=diagnosis.score.quantised_accuracy,
        float_error=diagnosis.score.float_error,
        quantised_error=diagnosis.score.quantised_error,
        agreement=min((share for share in agreements if share is not None), default=None),
        clamped_samples=0 if scored is None else scored.clamped,
        range_rule=quantised.range_rule,
        inputs=summarise_inputs(quantised.model, calibration),
        layers=tuple(summarise_layer(error) for error in diagnosis.calibration.layers),
        outputs=tuple(summarise_outputs(diagnosis)),
        warnings=(*others, *diagnosis.warnings),
    )


def parameters(model: IntegerModel) -> int:
    """Weights and biases of a model."""
    return sum(values.size for values in model.constants.values())


def _milliseconds(begin: float) -> float:
    return 1e3 * (time.perf_counter() - begin)
