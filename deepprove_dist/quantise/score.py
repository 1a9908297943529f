"""Float and integer model against what samples say the answer is: labels, targets, or the next tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.errors import SamplesError
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.quantise.next_tokens import Prediction, TokenSequences
from deepprove_dist.samples import Samples


@dataclass(frozen=True)
class Score:
    """How right both models are on samples with labels or targets.

    Accuracies are the shares of the samples whose class is right. A class is the index of an output's largest
    element, the first of equals. Errors are roots of the mean square against the targets. Shares of next
    tokens and perplexities are those of sequences of tokens. They are None where there is no such thing.
    """

    float_accuracy: float | None = None
    quantised_accuracy: float | None = None
    float_error: float | None = None
    quantised_error: float | None = None
    float_next_tokens: float | None = None
    quantised_next_tokens: float | None = None
    float_perplexity: float | None = None
    quantised_perplexity: float | None = None


class Scorer:
    """Scores a float and an integer model, a sample at a time."""

    def __init__(self, graph: FloatGraph, samples: Samples) -> None:
        """Raises SamplesError where labels or targets fit no output, or several."""
        sizes = {name: prod(graph.shapes[tensor]) for name, tensor in graph.outputs.items()}
        labels, targets = samples.labels, samples.targets
        # Of a single number, whole targets are still targets.
        if labels is not None and set(sizes.values()) == {1}:
            targets, labels = labels.reshape(-1, 1).astype(np.float64), None
        self._labels, self._targets = labels, targets
        self._output: str | None = None
        if labels is not None:
            if labels.min() < 0:
                raise SamplesError(f"labels are counted from 0, and there is a {labels.min()}")
            fitting = [name for name, size in sizes.items() if size > max(1, labels.max())]
            self._output = _only(fitting, f"labels up to {labels.max()}", sizes)
        elif targets is not None:
            fitting = [name for name, size in sizes.items() if size == targets.shape[1]]
            self._output = _only(fitting, f"targets of {targets.shape[1]} values", sizes)
        self._errors: list[tuple[float, float]] = []
        self._samples = samples
        self._tokens = TokenSequences.of(graph, samples) if labels is None and targets is None else None
        self._predictions: list[tuple[Prediction, Prediction]] = []

    def add(self, index: int, expected: Mapping[str, FloatArray], actual: Mapping[str, FloatArray]) -> None:
        """The outputs by name of the sample at ``index``, of the float and of the integer model."""
        if self._tokens is not None:
            of_float, of_integers = (
                self._tokens.prediction(self._samples, index, values[self._tokens.output])
                for values in (expected, actual)
            )
            self._predictions.append((of_float, of_integers))
        if self._output is None:
            return
        outputs = (expected[self._output].ravel(), actual[self._output].ravel())
        if self._labels is not None:
            right = [float(values.argmax() == self._labels[index]) for values in outputs]
        else:
            assert self._targets is not None, "an output was chosen for labels or targets"
            right = [float(np.square(values - self._targets[index]).mean()) for values in outputs]
        self._errors.append((right[0], right[1]))

    def score(self) -> Score:
        """Of all samples that were added."""
        if self._tokens is not None:
            return _of_predictions(self._predictions)
        if self._output is None:
            return Score()
        of_float, of_quantised = np.mean(self._errors, axis=0).tolist()
        if self._labels is not None:
            return Score(float_accuracy=of_float, quantised_accuracy=of_quantised)
        return Score(float_error=float(np.sqrt(of_float)), quantised_error=float(np.sqrt(of_quantised)))


def _of_predictions(predictions: Sequence[tuple[Prediction, Prediction]]) -> Score:
    """Of the next tokens of all sequences, by the float and by the integer model."""
    count = sum(of_float.count for of_float, _ in predictions)
    if count == 0:
        return Score()
    shares = [
        sum(prediction.right for prediction in of_model) / count
        for of_model in zip(*predictions, strict=True)
    ]
    means = [
        sum(prediction.surprise for prediction in of_model) / count
        for of_model in zip(*predictions, strict=True)
    ]
    if not np.isfinite(means).all():
        return Score(float_next_tokens=shares[0], quantised_next_tokens=shares[1])
    return Score(
        float_next_tokens=shares[0],
        quantised_next_tokens=shares[1],
        float_perplexity=float(np.exp(means[0])),
        quantised_perplexity=float(np.exp(means[1])),
    )


def _only(fitting: list[str], what: str, sizes: Mapping[str, int]) -> str:
    if len(fitting) == 1:
        return fitting[0]
    outputs = ", ".join(f"'{name}' of {size} values" for name, size in sizes.items())
    fit = "several outputs" if fitting else "no output"
    raise SamplesError(
        f"the samples to score have {what}, which fit {fit} of the model: {outputs}. Leave them out to "
        "compare with the float model only"
    )
