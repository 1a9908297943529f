"""Set-up: from an ONNX model and samples to keys, with a report on how exact the integer model is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from deepprove_dist.choices import require_choice, require_kind
from deepprove_dist.errors import AccuracyError
from deepprove_dist.hiding_cost import hiding_cost
from deepprove_dist.importing.selection import ModelSelection
from deepprove_dist.importing.sources import ModelSource, import_source, require_source
from deepprove_dist.key_budget import KeyBudget
from deepprove_dist.keys import make_pool, require_threads
from deepprove_dist.memory import memory_limit, release_free_memory
from deepprove_dist.model.hidden_names import HiddenNames
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.parameters import DEFAULT_SECURITY_BITS, LEAST_PROOFS, ProofObjective, Weights
from deepprove_dist.prover import Prover
from deepprove_dist.proving import Progress, milliseconds_since
from deepprove_dist.proving_key import ProvingKey
from deepprove_dist.quantise.activation_bits import AUTO, BITS_CHOICES, ActivationBits
from deepprove_dist.quantise.diagnosis import diagnose
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.ranges import METHODS
from deepprove_dist.quantise.select import quantise_best
from deepprove_dist.quantise.stated import quantise_as_stated
from deepprove_dist.quantise.undefined import undefined_warnings
from deepprove_dist.quantise.usable import require_usable
from deepprove_dist.samples.sources import SampleSource, gather_samples
from deepprove_dist.setup_options import Options, require_provable
from deepprove_dist.setup_report import SetupReport, make_report
from deepprove_dist.timing import timed


@dataclass(frozen=True, repr=False)
class SetupResult(ProvingKey):
    """Keys that have just been made, with the report of their making."""

    report: SetupReport

    def __post_init__(self) -> None:
        super().__post_init__()
        require_kind("SetupResult", self.report, SetupReport, "a report; use setup(...)")


def setup(
    model: ModelSource,
    samples: SampleSource | None = None,
    *,
    outputs: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    output_form: str = "all",
    score: SampleSource | None = None,
    activation_bits: ActivationBits = AUTO,
    calibration_method: str = "auto",
    weights: Weights = "committed",
    objective: ProofObjective = "default",
    max_batch: int = 1,
    security: int = DEFAULT_SECURITY_BITS,
    transparent: bool = False,
    proofs: int | None = None,
    hide_inputs: Sequence[str] = (),
    hide_outputs: Sequence[str] = (),
    commitment_proofs: int = LEAST_PROOFS,
    memory: int | None = None,
    accept_error: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> SetupResult:
    """Quantises an ONNX model on calibration samples, and makes its keys.

    Args:
        model: the path of an ONNX file, its bytes, or an `onnx.ModelProto`.
        samples: what calibrates the ranges of tensors. A model of one input takes an array [N, *shape].
            Others are arrays by input name, `Samples`, or the path of a .json, .npz or .npy file. A model
            that is quantised already needs none, if it states the formats of all its tensors.
        outputs: names of tensors up to which the model is proven. The default is all of its outputs but
            those that are constant; the report names what was left out.
        shapes: shapes of inputs by name, where the file leaves sizes open. The batch is 1 by itself.
        output_form: what is proven of scores: "all", those at the "last" position, or indices of the largest
            along the last axis: "argmax", or "top-5" for five of them. Of equal scores the first one counts.
        score: other samples, in the same forms, on which the integer and the float model are compared. They
            may have labels or targets.
        activation_bits: bits of an activation, from 8 to 12. "auto" takes the fewest of 8, 10 and 12
            that keep outputs within 2 % of their spread, if there are samples to hold out.
        calibration_method: "max", "margin", "percentile" or "mse", or "auto", the best of them.
        weights: "committed", so that a verifier needs no weights, or "public", for smaller proofs.
        objective: what the proof system is tuned for: "small" proofs, "fast" proving, or "default".
        max_batch: the most samples that one proof may cover.
        security: 100 or 128, the bits that all errors of the protocol together reach.
        transparent: makes proofs that hide nothing; enough of them tell the weights. By default proofs hide
            weights and activations.
        proofs: how many proofs hiding keys allow before they have to be rekeyed, at least. The default is
            what costs little for the model's size; the report says how many.
        hide_inputs: names of inputs that proofs hide too: their statements have commitments instead.
        hide_outputs: the same for outputs.
        commitment_proofs: how many proofs may be about one commitment to a hidden input or output.
        memory: how many bytes a proof may take; by default 80 % of what the machine has. Proofs of keys that
            take less memory are longer.
        accept_error: makes keys even where outputs are off by more than a fifth of their spread.
        threads: of this process; one for each core by default.
        progress: called as the work proceeds.

    Raises:
        ChoiceError: for a choice that there is not, before anything is read.
        KindError: for an object of another class than those above.
        UnsupportedModelError: with everything in the model that is not supported.
        ModelError, SamplesError: for a model or samples that cannot be read, or do not fit each other.
            ModelError for outputs and inputs that the model does not have.
        QuantisationError: for a model that has no integers within the field's bounds.
        AccuracyError: for a model that is too inexact, with warnings that say where, why and what helps.
        SecurityError: where no parameters reach the level.
        MemoryLimitError: where no proof fits in so much memory.
        OSError: for files that cannot be read.

    Example:
        >>> keys = setup("model.onnx", np.load("samples.npy"))
        >>> keys.save("keys")
    """
    # All choices are checked before the work begins.
    require_choice("transparent", transparent, (False, True))
    hidden = HiddenNames.chosen(hide_inputs, hide_outputs)
    options = Options(
        weights, objective, max_batch, security, not transparent, proofs, hidden, commitment_proofs
    )
    options = replace(options, memory=memory_limit(memory))
    require_choice("activation_bits", activation_bits, BITS_CHOICES)
    require_choice("calibration_method", calibration_method, METHODS)
    require_threads(threads)
    require_source("setup", model)
    step = progress or (lambda name, share: None)
    quantisation = _Quantisation(activation_bits, calibration_method, accept_error, options, threads)
    selection = ModelSelection.of(outputs, shapes, output_form, hidden.outputs)
    integer_model, report = _quantise(model, selection, samples, score, quantisation, step)
    # Keys of a large model take the memory that its float form held.
    release_free_memory()
    step("keys", 0.0)
    begin = time.perf_counter()
    prover = Prover.generate(integer_model, options, make_pool(threads))
    verifying = prover.verifying
    report = replace(
        report,
        setup_ms=milliseconds_since(begin),
        hiding=None
        if transparent
        else hiding_cost(verifying.system.for_batch(max_batch), verifying.schedule, options),
    )
    step("keys", 1.0)
    budget = None if transparent else KeyBudget(verifying.schedule.initial.proofs)
    return SetupResult(prover, report, budget=budget, memory=memory)


@dataclass(frozen=True)
class _Quantisation:
    """The choices of a setup that the integer model depends on; see `setup`."""

    activation_bits: ActivationBits
    calibration_method: str
    accept_error: bool
    options: Options
    threads: int | None


@timed("quantisation", "setup")
def _quantise(
    model: ModelSource,
    selection: ModelSelection,
    calibration: SampleSource | None,
    score: SampleSource | None,
    choices: _Quantisation,
    step: Progress,
) -> tuple[IntegerModel, SetupReport]:
    """The integer model, and the report but for the keys. Raises as `setup` does."""
    step("import", 0.0)
    begin = time.perf_counter()
    imported = import_source(model, selection)
    choices.options.hidden.require(imported.graph.inputs, imported.graph.outputs)
    shapes = {name: imported.graph.shapes[name] for name in imported.graph.inputs}
    samples = None if calibration is None else gather_samples(calibration, shapes)
    scored = None if score is None else gather_samples(score, shapes, scored=True)
    warnings = () if samples is None else require_usable(samples)
    step("import", 1.0)
    step("quantisation", 0.0)
    float_model = FloatModel(imported, choices.threads)
    if samples is None:
        best = quantise_as_stated(float_model, rounded=choices.options.hides_weights)
    else:
        best = quantise_best(
            float_model,
            samples,
            choices.activation_bits,
            choices.calibration_method,
            rounded=choices.options.hides_weights,
            require_provable=partial(require_provable, choices.options),
        )
    quantise_ms = milliseconds_since(begin)
    step("quantisation", 1.0)
    step("report", 0.0)
    diagnosis = diagnose(float_model, best, best.bits, scored)
    basis = best.final.calibration.basis.samples
    warnings += (*imported.warnings, *undefined_warnings(best.final.quantised))
    report = make_report(
        best.final.quantised, diagnosis, basis, warnings, quantise_ms, best.bits, left_out=imported.left_out
    )
    step("report", 1.0)
    if diagnosis.refused and not choices.accept_error:
        raise AccuracyError(report.warnings)
    return best.final.quantised.model, report
