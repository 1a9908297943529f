"""A quantised model beside its float model on given samples: errors of inputs, layers and outputs, and
whether the answers agree.

The answer of an output is its largest element's index, where the output is a vector of two or more. Of an
output of integers each element is an answer.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from math import prod

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Reals
from deepprove_dist.model.inference import samples_at_once
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.quantise.accumulator import LayerReport
from deepprove_dist.quantise.channels import Channels
from deepprove_dist.quantise.deviation import Deviation, DeviationSum
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.ordinary import Marked
from deepprove_dist.quantise.quantise import QuantisedModel
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import outside as outside_of
from deepprove_dist.samples.rounding import quantise_inputs

# Float values as close as this share of the vector's largest are a tie.
TIE = 1e-6


@dataclass(frozen=True)
class LayerError:
    """A layer and its deviation, None for a layer that no float tensor corresponds to."""

    layer: LayerReport
    deviation: Deviation | None

    @property
    def relative(self) -> float | None:
        """Error over spread."""
        return None if self.deviation is None else self.deviation.relative


@dataclass(frozen=True)
class OutputError:
    """An output, its deviation, and in what share of the samples its answer is the float model's.

    ``agreement`` is None for an output without answers; ``disagreeing`` counts the other samples. ``whole``:
    both are of elements, which are integers. ``index``: these are indices or labels, of which a near one
    is as wrong as any other.
    """

    name: str
    deviation: Deviation
    agreement: float | None
    disagreeing: int
    whole: bool = False
    index: bool = False

    @property
    def error(self) -> float:
        """Error over spread; of indices and labels the share of those that are wrong."""
        if self.index and self.agreement is not None:
            return 1 - self.agreement
        return self.deviation.relative


@dataclass(frozen=True)
class Comparison:
    """Deviations on ordinary samples, and agreement on all.

    Deviations are measured on the ordinary samples in range. Where these are fewer than half, it is on all
    ordinary ones. Those of a large model's layers are on the first of these. ``inputs`` holds what rounding
    does to the inputs. ``outside`` counts, by input, the samples with values beyond the model's range.
    ``clamped`` counts those with such a value at any input. ``turned`` counts the samples that are decided
    otherwise than in floats: a value is within a step of a threshold. It is None for a model without
    thresholds.
    """

    inputs: Mapping[str, Deviation]
    layers: tuple[LayerError, ...]
    outputs: tuple[OutputError, ...]
    samples: int
    outside: Mapping[str, int]
    clamped: int
    turned: int | None = None


Watch = Callable[[int, Mapping[str, FloatArray], Mapping[str, FloatArray]], None]
"""Called with a sample's index and the outputs by name of float and integer model."""


def compare(
    quantised: QuantisedModel,
    float_model: FloatModel,
    marked: Marked,
    watch: Watch | None = None,
    *,
    with_layers: bool = True,
) -> Comparison:
    """Compares on samples, their inputs clamped to the model's range; ``watch`` sees all outputs.

    Without layers there is nothing of these in the comparison.
    """
    sums = _Sums(quantised.model, quantised.layers if with_layers else (), float_model.graph)
    outside = outside_of(quantised.model, marked.samples.inputs)
    clamped = np.any(list(outside.values()), axis=0)
    measured = marked.ordinary & ~clamped
    if 2 * measured.sum() < len(measured):
        measured = marked.ordinary
    compared = np.flatnonzero(measured)[: float_model.most_compared]
    detailed = int(compared[-1]) + 1 if len(compared) else 0
    parts = np.split(np.arange(len(measured)), [detailed])
    runs = (
        _runs(quantised, float_model, marked.samples.take(part), *sums.names(layers=part[0] < detailed))
        for part in parts
        if len(part)
    )
    for index, (real, values) in enumerate(chain.from_iterable(runs)):
        outputs = float_model.graph.outputs
        expected = {name: np.asarray(real[tensor], dtype=np.float64) for name, tensor in outputs.items()}
        actual = real_outputs(quantised.model, values)
        sums.add_answers(expected, actual)
        sums.add_decisions(real, values)
        if measured[index]:
            sums.add_outputs(expected, actual)
        if measured[index] and index < detailed:
            sums.add_layers(real, values)
        if watch is not None:
            watch(index, expected, actual)
    counts = {name: int(mask.sum()) for name, mask in outside.items()}
    return sums.comparison(len(marked.samples), counts, int(clamped.sum()))


class _Sums:
    """Deviations of all tensors that both models have, and agreement, a sample at a time."""

    def __init__(self, model: IntegerModel, layers: Sequence[LayerReport], graph: FloatGraph) -> None:
        self._model = model
        self._reports = layers
        self._graph = graph
        self._channels = Channels(graph)
        self._inputs = {tensor.name: DeviationSum() for tensor in model.inputs}
        self._layers = [DeviationSum() if layer.reference else None for layer in layers]
        self._outputs = {name: DeviationSum() for name in graph.outputs}
        self._agreement = AgreementCount(graph)
        self._decisions = find_decisions(graph)
        self._turned = 0

    def names(self, *, layers: bool) -> tuple[Collection[str], Collection[str]]:
        """The tensors of the float and of the integer model that are compared, with or without the layers."""
        model, inputs = self._model, {name for name in self._inputs if layers}
        compared = [layer for layer in self._reports if layer.reference and layers]
        held = {node.output for node in model.nodes}.intersection(self._decisions)
        real = {*self._graph.outputs.values(), *self._decisions, *(layer.reference for layer in compared)}
        integer = {*(tensor.name for tensor in model.outputs), *held, *(layer.tensor for layer in compared)}
        return real | inputs, integer | inputs

    def add_answers(self, expected: Mapping[str, FloatArray], actual: Mapping[str, FloatArray]) -> None:
        """A sample's outputs by name, of the float and of the integer model."""
        self._agreement.add(expected, actual)

    def add_decisions(self, real: Mapping[str, Reals], integers: Mapping[str, Integers]) -> None:
        """A sample's float tensors and its integer tensors, by name."""
        held = [name for name in self._decisions if name in integers]
        self._turned += any((integers[name].ravel() != real[name].ravel()).any() for name in held)

    def add_outputs(self, expected: Mapping[str, FloatArray], actual: Mapping[str, FloatArray]) -> None:
        """A sample's outputs by name, of the float and of the integer model."""
        for name, reference in self._graph.outputs.items():
            self._add(self._outputs[name], reference, expected[name], actual[name])

    def add_layers(self, real: Mapping[str, Reals], integers: Mapping[str, Integers]) -> None:
        """A sample's float tensors and its integer tensors, by name."""
        for tensor in self._model.inputs:
            values = dequantise(integers[tensor.name], tensor.scale)
            self._add(self._inputs[tensor.name], tensor.name, real[tensor.name], values)
        for total, layer in zip(self._layers, self._reports, strict=True):
            if total is not None:
                reference, split = real[layer.reference], partial(self._channels.split, layer.reference)
                if layer.scale.is_single:
                    integer = split(integers[layer.tensor])
                    total.add_integers(split(reference), integer, layer.scale.number)
                else:
                    values = dequantise(integers[layer.tensor], layer.scale)
                    self._add(total, layer.reference, reference, values)

    def _add(self, total: DeviationSum, reference: str, real: Reals, values: FloatArray) -> None:
        expected = np.asarray(real, dtype=np.float64)
        total.add(self._channels.split(reference, expected), self._channels.split(reference, values))

    def comparison(self, samples: int, outside: Mapping[str, int], clamped: int) -> Comparison:
        """Of all samples that were added."""
        layers = zip(self._reports, self._layers, strict=True)
        return Comparison(
            {name: total.result() for name, total in self._inputs.items()},
            tuple(LayerError(layer, None if total is None else total.result()) for layer, total in layers),
            tuple(
                OutputError(
                    name,
                    total.result(),
                    self._agreement.agreement(name),
                    self._agreement.disagreeing(name),
                    name in self._graph.whole_outputs,
                    name in self._graph.label_outputs,
                )
                for name, total in self._outputs.items()
            ),
            samples,
            outside,
            clamped,
            self._turned if self._decisions else None,
        )


def find_decisions(graph: FloatGraph) -> tuple[str, ...]:
    """The results of comparisons with thresholds that others than such comparisons read."""
    nodes = [node for node in graph.nodes if node.has_thresholds]
    others = {name for node in graph.nodes if not node.has_thresholds for name in node.inputs}
    others.update(graph.outputs.values())
    return tuple(node.output for node in nodes if node.output in others)


class AgreementCount:
    """Counts the samples on which float and integer model give the same answer; of integers the elements."""

    def __init__(self, graph: FloatGraph) -> None:
        self._whole = graph.whole_outputs
        self._vectors = {name for name in graph.outputs if has_answers(graph, name)} - self._whole
        self._same = dict.fromkeys(self._vectors | self._whole, 0)
        self._counts = dict.fromkeys(self._same, 0)

    def add(self, expected: Mapping[str, FloatArray], actual: Mapping[str, FloatArray]) -> None:
        """Outputs of one sample by name, of the float and of the integer model."""
        for name in self._vectors:
            vector = expected[name].ravel()
            answer = vector[int(actual[name].argmax())]
            self._same[name] += bool(answer >= vector.max() - TIE * np.abs(vector).max())
            self._counts[name] += 1
        for name in self._whole:
            self._same[name] += int((np.rint(actual[name]).ravel() == expected[name].ravel()).sum())
            self._counts[name] += expected[name].size

    def agreement(self, name: str) -> float | None:
        """Share of the samples; an index that ties with the largest is as good as that."""
        return self._same[name] / self._counts[name] if name in self._same else None

    def disagreeing(self, name: str) -> int:
        """Samples with another answer, 0 for an output without answers."""
        return self._counts[name] - self._same[name] if name in self._same else 0


def has_answers(graph: FloatGraph, output: str) -> bool:
    """Whether an output is a vector of classes, as far as shapes tell.

    A vector of as many elements as an input has gives that input back, as autoencoders do.
    """
    shape = graph.shapes[graph.outputs[output]]
    elements = prod(shape)
    copies = any(prod(graph.shapes[name]) == elements for name in graph.inputs)
    return elements >= 2 and max(shape) == elements and not copies


def dequantise(integers: Integers, scale: npt.ArrayLike) -> FloatArray:
    """Real values of integers; the scale broadcasts against them."""
    return np.asarray(integers * np.asarray(scale, dtype=np.float64))


def real_outputs(model: IntegerModel, outputs: Mapping[str, Integers]) -> dict[str, FloatArray]:
    """Outputs as real values, by name."""
    return {tensor.name: dequantise(outputs[tensor.name], tensor.scale) for tensor in model.outputs}


def _runs(
    quantised: QuantisedModel,
    float_model: FloatModel,
    samples: Samples,
    real_names: Collection[str],
    integer_names: Collection[str],
) -> Iterator[tuple[Mapping[str, Reals], Mapping[str, Integers]]]:
    """Of each sample the float tensors and the integer tensors of these names, the latter with a first axis
    of 1.
    """
    at_once, threads = samples_at_once(float_model.elements), float_model.threads_ahead
    integers = quantise_inputs(quantised.model, samples.inputs, clamp=True)
    parts = quantised.runs.tensors(integers, integer_names, at_once, threads)
    of_samples = (
        {name: array[index : index + 1] for name, array in part.items()}
        for part in parts
        for index in range(min(map(len, part.values())))
    )
    return zip(float_model.run_as_computed(samples, real_names), of_samples, strict=True)
