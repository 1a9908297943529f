"""What a setup reports: sizes, times, and how close the integer model is to the float model."""

from __future__ import annotations

from dataclasses import dataclass

from deepprove_dist.errors import AccuracyWarning
from deepprove_dist.hiding_cost import HidingCost
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.quantise.activation_bits import LEAST
from deepprove_dist.quantise.diagnosis import Diagnosis
from deepprove_dist.quantise.quantise import QuantisedModel
from deepprove_dist.quantise.summary import (
    InputSummary,
    LayerSummary,
    OutputSummary,
    summarise_inputs,
    summarise_layer,
    summarise_outputs,
)
from deepprove_dist.samples import Samples

__all__ = ["InputSummary", "LayerSummary", "OutputSummary", "SetupReport", "make_report", "parameters"]


@dataclass(frozen=True)
class SetupReport:
    """What a setup measured. What was not measured is None.

    Attributes:
        parameters: weights and biases.
        quantise_ms: milliseconds of import and quantisation.
        setup_ms: milliseconds in which the keys were made.
        float_accuracy, quantised_accuracy: shares of right labels on the samples to score.
        float_error, quantised_error: distances from targets, roots of mean squares.
        float_next_tokens, quantised_next_tokens: shares of right next tokens, of sequences to score.
        float_perplexity, quantised_perplexity: of these tokens, where there are scores.
        agreement: the share of equal answers of both models, the least of all outputs.
        clamped_samples: samples to score with values beyond the calibrated range.
        turned_samples: samples to score, else of calibration, on which a tree or another comparison decides
            otherwise than in floats: a value is within a step of a threshold. None without comparisons.
        range_rule: how ranges were calibrated.
        activation_bits: those of activations, which set-up may have chosen.
        inputs, layers, outputs: ranges and errors of each.
        left_out: outputs of the file that are not proven: constants, and those that were not chosen.
        warnings: what makes the integer model inexact.
        hiding: how many proofs the keys allow, and what hiding costs; None for transparent keys.
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
    hiding: HidingCost | None = None
    left_out: tuple[str, ...] = ()
    turned_samples: int | None = None
    activation_bits: int = LEAST
    float_next_tokens: float | None = None
    quantised_next_tokens: float | None = None
    float_perplexity: float | None = None
    quantised_perplexity: float | None = None


def make_report(
    quantised: QuantisedModel,
    diagnosis: Diagnosis,
    calibration: Samples,
    warnings: tuple[AccuracyWarning, ...],
    quantise_ms: float,
    activation_bits: int,
    *,
    left_out: tuple[str, ...] = (),
) -> SetupReport:
    """The report of a quantisation, with `warnings` about the samples; keys are not made yet."""
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
        left_out=left_out,
        turned_samples=(scored or diagnosis.calibration).turned,
        activation_bits=activation_bits,
        float_next_tokens=diagnosis.score.float_next_tokens,
        quantised_next_tokens=diagnosis.score.quantised_next_tokens,
        float_perplexity=diagnosis.score.float_perplexity,
        quantised_perplexity=diagnosis.score.quantised_perplexity,
    )


def parameters(model: IntegerModel) -> int:
    """Weights and biases of a model."""
    return sum(values.size for values in model.constants.values())
