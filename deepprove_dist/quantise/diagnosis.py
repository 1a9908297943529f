"""The verdict on a quantised model: whether its outputs are close to the float model's, else where and why.

A model is judged on samples to score, and on the calibration samples held out. Where they are too few for
that, it is judged on all of them. An output gets a warning where its error is above INEXACT of its spread. So
it does where its answers agree on less than AGREEING of the samples. Above REFUSED the model is refused. The
error of indices is the share of wrong ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from deepprove_dist.errors import AccuracyWarning, Cause
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.function_properties import whole
from deepprove_dist.operators.summand import whole as whole_numbers
from deepprove_dist.quantise.activation_bits import INEXACT
from deepprove_dist.quantise.calibration import Calibrated
from deepprove_dist.quantise.causes import explain
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.inquiry import Inquiry, Judged, error_of
from deepprove_dist.quantise.localise import Jump, Localiser
from deepprove_dist.quantise.ordinary import Marked
from deepprove_dist.quantise.ranges import RANGE_RULES
from deepprove_dist.quantise.report import Comparison, OutputError, Watch, compare
from deepprove_dist.quantise.score import Score, Scorer
from deepprove_dist.quantise.select import Selection
from deepprove_dist.samples import Samples

REFUSED = 0.2
REFUSED_RANDOM = 0.75
"""The same on random inputs, on which outputs may vary little: as `audit` has it."""
AGREEING = 0.98

# An error on samples that calibrated a model over the one on those held out: not more by chance.
WORSE = 1.5

# The share of samples out of an input's range; one in ten is more than chance.
OUTSIDE = 0.1

# One sample is no share of a few dozen.
DISAGREEING = 2

# Of a channel that varies much less than others.
WARNED_CHANNEL = 0.2
# With more channels than a model has quantities, they are elements of one, as pixels are.
QUANTITIES = 32


@dataclass(frozen=True)
class Diagnosis:
    """How close a model is to its float model, and what to say of it.

    Attributes:
        calibration: on the samples that set the ranges.
        held_out: on those held out from a trial.
        scored: on those to score.
        score: of the latter.
        warnings: what to tell the user.
        refused: whether an output is so far off that the model should be refused.
        basis: what the first samples are: "calibration", or "random" where nothing was calibrated.
    """

    calibration: Comparison
    held_out: Comparison | None
    scored: Comparison | None
    score: Score
    warnings: tuple[AccuracyWarning, ...]
    refused: bool
    basis: str = "calibration"


def diagnose(
    float_model: FloatModel, selection: Selection, activation_bits: int, scored: Samples | None = None
) -> Diagnosis:
    """Compares the selected model with the float model, and explains what is inexact.

    Raises SamplesError for samples to score whose labels fit no output.
    """
    final = selection.final
    basis, limit = ("random", REFUSED_RANDOM) if selection.stated else ("calibration", REFUSED)
    on_calibration = _judge(float_model, final, final.calibration.basis, f"{basis} samples", limit=limit)
    held_out = on_scored = scorer = None
    if selection.trial is not None and selection.held_out is not None:
        held_out = _judge(float_model, selection.trial, selection.held_out, "samples held out")
    if scored is not None:
        scorer = Scorer(float_model.graph, scored)
        on_scored = _judge(float_model, final, Marked.by_inputs(scored), "samples to score", scorer.add)
    judged = [held_out or on_calibration] + ([] if on_scored is None else [on_scored])
    if held_out is not None and _is_worse(on_calibration, held_out):
        # Those held out are few, and may lack what the others have. And the trial may be closer by luck.
        judged.append(on_calibration)
    warnings = list[AccuracyWarning]()
    if not selection.stated:
        warnings += _still_tensors(float_model.graph, final, on_calibration.comparison)
    refused = False
    for verdict in judged:
        strange = any(_is_strange(output, verdict.limit) for output in verdict.comparison.outputs)
        refused |= strange
        if verdict.limit == REFUSED or strange:
            warnings += _out_of_range(verdict)
            warnings += _inexact_outputs(float_model, activation_bits, verdict)
    # The same cause may be seen on several samples and outputs.
    distinct = {(warning.layer, warning.cause): warning for warning in reversed(warnings)}
    return Diagnosis(
        on_calibration.comparison,
        None if held_out is None else held_out.comparison,
        None if on_scored is None else on_scored.comparison,
        Score() if scorer is None else scorer.score(),
        tuple(reversed(distinct.values())),
        refused,
        basis,
    )


def _is_worse(verdict: Judged, than: Judged) -> bool:
    """Whether an output is to be warned of, and is clearly closer on other samples."""
    pairs = zip(verdict.comparison.outputs, than.comparison.outputs, strict=True)
    return any(
        _is_inexact_output(output) and (output.error > WORSE * other.error or not _is_inexact_output(other))
        for output, other in pairs
    )


def _is_inexact_output(output: OutputError) -> bool:
    """Whether it is to be warned of."""
    return output.error > INEXACT or _is_wrong(output)


def _is_strange(output: OutputError, limit: float) -> bool:
    """Whether an output is too far off; one wrong index may be chance."""
    return output.error > limit and not (output.index and output.disagreeing < DISAGREEING)


def _is_wrong(output: OutputError) -> bool:
    """Whether an output gives too few of the float model's answers."""
    return output.agreement is not None and output.agreement < AGREEING and output.disagreeing >= DISAGREEING


def _judge(
    float_model: FloatModel,
    model: Calibrated,
    samples: Marked,
    source: str,
    watch: Watch | None = None,
    limit: float = REFUSED,
) -> Judged:
    comparison = compare(model.quantised, float_model, samples, watch)
    return Judged(model, samples, comparison, source, limit)


def _still_tensors(graph: FloatGraph, model: Calibrated, comparison: Comparison) -> Iterator[AccuracyWarning]:
    """The first tensors that are zero on all samples of calibration, and outputs that never vary."""
    dead = {
        name
        for name, statistics in model.calibration.statistics.items()
        if statistics.lowest == statistics.highest == 0
    }
    decided = _of_decisions(graph)
    for node in graph.nodes:
        if node.output in dead - decided and not dead.intersection(node.inputs):
            yield AccuracyWarning(
                node.output,
                Cause.DEAD_TENSOR,
                f"'{node.output}' (node '{node.name}') is zero on all calibration samples, so its range is a "
                "guess",
                "Add calibration samples on which it is not zero; or train the model again, if it is dead.",
            )
    for output in comparison.outputs:
        if not dead - decided and output.deviation.spread == 0:
            yield AccuracyWarning(
                output.name,
                Cause.DEAD_TENSOR,
                f"output '{output.name}' is the same on all calibration samples",
                "Add calibration samples on which it varies; or train the model again.",
            )


def _of_decisions(graph: FloatGraph) -> set[str]:
    """Truth values and whole numbers, and what is whole where these are: no range of them is a guess."""
    exact = set(graph.wholes)
    for node in graph.nodes:
        function = node.elementwise
        decides = node.has_thresholds or (function is not None and whole(function))
        if decides or (exact.issuperset(node.inputs) and _keeps_whole(node, graph)):
            exact.add(node.output)
    return exact


def _keeps_whole(node: FloatOperator, graph: FloatGraph) -> bool:
    """Whether a node makes whole numbers of some."""
    shapes = [graph.shapes[name] for name in node.inputs]
    arguments = [np.arange(prod(shape), dtype=np.float64).reshape(shape) % 7 for shape in shapes]
    with np.errstate(all="ignore"):
        return whole_numbers(node.evaluate(arguments))


def _out_of_range(judged: Judged) -> Iterator[AccuracyWarning]:
    """Inputs whose range many samples leave."""
    comparison, basis = judged.comparison, judged.model.calibration.basis.samples
    for name, count in comparison.outside.items():
        # What is wrong with an input that never changes has been said.
        if count > OUTSIDE * comparison.samples and np.ptp(basis.inputs[name]) > 0:
            yield AccuracyWarning(
                name,
                Cause.FEW_SAMPLES,
                f"{count} of {comparison.samples} {judged.source} lie outside the range of input '{name}', "
                f"set by {len(basis)} samples. Such inputs are refused, or clamped if asked for",
                "Calibrate on more samples, like those that the model will be asked for.",
            )


def _inexact_outputs(
    float_model: FloatModel, activation_bits: int, judged: Judged
) -> Iterator[AccuracyWarning]:
    localiser = Localiser(float_model.graph, judged.comparison)
    for output in judged.comparison.outputs:
        channel = None if output.index or output.error > INEXACT else _worst_channel(output)
        symptom = _symptom(output, channel)
        if symptom is None:
            continue
        if judged.model.quantised.range_rule not in RANGE_RULES:
            yield _inexact_as_stated(output.name, symptom, judged.source)
            continue
        jump = localiser.jump(output.name, error_of(output, channel))
        explanation = explain(Inquiry(float_model, activation_bits, judged, output, channel, jump))
        message = f"{symptom} on the {judged.source}; {_beginning(jump)}: {explanation.reason}"
        yield AccuracyWarning(explanation.layer, explanation.cause, message, explanation.remedy)


def _inexact_as_stated(output: str, symptom: str, source: str) -> AccuracyWarning:
    """Of a model whose formats are its file's: no other choice of ranges would help."""
    return AccuracyWarning(
        output,
        Cause.AMPLIFICATION,
        f"{symptom} on the {source}; the formats are those that the model states, so roundings add up",
        "Give the float model that this one was quantised from: its formats are chosen by samples.",
    )


def _symptom(output: OutputError, channel: int | None) -> str | None:
    """What is wrong with an output, or with a channel of it, with numbers; None where nothing is."""
    if output.error > INEXACT and not output.index:
        error = f"output '{output.name}' is off by {_percent(output.deviation.relative)} of its spread"
        equal = output.agreement
        return (
            error if equal is None else f"{error}, and gives the float model's answer to {_percent(equal)},"
        )
    if _is_wrong(output) and output.agreement is not None:
        share = _percent(output.agreement)
        if output.whole:
            return f"output '{output.name}' has the float model's integers in only {share} of its elements"
        return f"output '{output.name}' gives the float model's answer to only {share}"
    if channel is not None:
        error = f"off by {_percent(error_of(output, channel))} of its spread"
        return f"channel {channel} of output '{output.name}' is {error}"
    return None


def _worst_channel(output: OutputError) -> int | None:
    """A channel that varies little beside others, and is lost."""
    channel, channels = output.deviation.worst_channel, output.deviation.channels
    lost = channel is not None and len(channels) <= QUANTITIES and channels[channel] > WARNED_CHANNEL
    return channel if lost else None


def _beginning(jump: Jump) -> str:
    error = _percent(jump.at.deviation.relative)
    if not jump.sources:
        return f"the error begins at input '{jump.at.name}' ({error})"
    before = f"{error}, {_percent(jump.before)} at its inputs"
    if jump.is_gradual:
        return f"the error grows over many layers, most at '{jump.at.name}' ({before})"
    return f"the error begins at layer '{jump.at.name}' ({before})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
