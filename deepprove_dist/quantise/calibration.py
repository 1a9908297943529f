"""Calibrations: samples, the statistics of float tensors on them, and the inputs' formats.

Samples are run once. What is held out from a trial counts in the statistics of all samples. Of a trial's it
counts in the mean squares only, on which no range depends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.formats import Format
from deepprove_dist.quantise.calibrate import Calibrator, Statistics, calibrate
from deepprove_dist.quantise.channels import Channels
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.inputs import COMPARED, choose_inputs, find_candidate, input_formats, widened
from deepprove_dist.quantise.ordinary import Marked, ordinary
from deepprove_dist.quantise.quantise import QuantisedModel, quantise
from deepprove_dist.samples import Samples


@dataclass(frozen=True)
class Calibration:
    """Samples, the statistics of the float tensors on them, and the formats of the inputs."""

    basis: Marked
    statistics: Mapping[str, Statistics]
    inputs: Mapping[str, Format]

    @classmethod
    def of(
        cls,
        float_model: FloatModel,
        basis: Marked,
        activation_bits: int,
    ) -> "Calibration":
        """By float runs of the samples. Raises QuantisationError as `calibrate` does."""
        statistics = calibrate(float_model, basis.samples)
        inputs = choose_inputs(float_model.graph, float_model, basis.samples, activation_bits)
        return cls(basis, statistics, inputs)

    def quantise(
        self,
        graph: FloatGraph,
        activation_bits: int,
        rule: str,
        *,
        rounded: bool = False,
        limited: bool = True,
    ) -> "Calibrated":
        """The graph with ranges by one of RANGE_RULES, as `quantise` does it."""
        inputs = widened(self.inputs, graph, self.basis.samples, activation_bits)
        quantised = quantise(
            graph, self.statistics, activation_bits, rule, inputs, rounded=rounded, limited=limited
        )
        return Calibrated(quantised, self, rounded)


@dataclass(frozen=True)
class Calibrated:
    """A quantised model and its calibration; `rounded` as for `quantise`."""

    quantised: QuantisedModel
    calibration: Calibration
    rounded: bool = False


class _FirstOutputs:
    """The outputs of the first samples, as `find_candidate` takes them."""

    def __init__(self) -> None:
        self._rows: list[Sequence[FloatArray]] = []

    def add(self, outputs: Sequence[FloatArray]) -> None:
        """Adds each output's values [n] on one sample."""
        if len(self._rows) < COMPARED:
            self._rows.append(outputs)

    def stacked(self) -> Sequence[FloatArray]:
        """Each output's values [samples, n]."""
        return [np.stack(values) for values in zip(*self._rows, strict=True)]


def calibrate_with_trial(
    float_model: FloatModel, samples: Samples, held_out: IntArray, activation_bits: int
) -> tuple[Calibration, Calibration | None, Mapping[str, FloatArray]]:
    """One float run: calibrations on all samples, and on those not held out (None where none is).

    Then the outputs of those that are, [n, *shape] by name. Both hold inputs in the way that
    all samples choose.
    """
    outputs, channels = float_model.graph.outputs, Channels(float_model.graph)
    calibrator, apart = Calibrator(), frozenset(held_out.tolist())
    expected: dict[str, list[FloatArray]] = {name: [] for name in outputs}
    sizes: dict[str, list[FloatArray]] = {name: [] for name in outputs}
    # What the inputs' formats are chosen by.
    first = _FirstOutputs()
    index = -1
    for values in float_model.run_as_computed(samples):
        index += 1
        held = index in apart
        calibrator.add(values, held_out=held, channels=channels, threads=float_model.threads_ahead)
        results = {name: np.asarray(values[tensor], dtype=np.float64) for name, tensor in outputs.items()}
        first.add([result.ravel() for result in results.values()])
        for name, tensor in outputs.items():
            sizes[name].append(np.abs(channels.split(tensor, results[name])).max(axis=1))
            if held:
                expected[name].append(results[name])
        # The next sample's tensors take their place.
        del values
    masks = [Marked.by_inputs(samples).ordinary, *(ordinary(np.stack(rows)) for rows in sizes.values())]
    basis = Marked(samples, np.all(masks, axis=0))
    trial = basis.take(np.setdiff1d(np.arange(len(samples)), held_out))
    graph = float_model.graph
    candidate = find_candidate(graph, float_model, samples, activation_bits, first.stacked())
    of_all, of_trial = (
        Calibration(part, statistics, input_formats(graph, part.samples, activation_bits, candidate))
        for part, statistics in zip((basis, trial), calibrator.statistics(), strict=True)
    )
    if not apart:
        return of_all, None, {}
    return of_all, of_trial, {name: np.stack(arrays) for name, arrays in expected.items()}
