"""Perplexity and right next tokens of both models, against what numpy says of them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.load import import_proto
from deepprove_dist.importing.selection import ModelSelection
from deepprove_dist.quantise.diagnosis import Diagnosis, diagnose
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.next_tokens import TokenSequences
from deepprove_dist.quantise.score import Score
from deepprove_dist.quantise.select import quantise_best
from deepprove_dist.samples import Samples
from tests.token_models import IDS, LENGTH, MASK, SCORES, VOCABULARY, token_model

COUNT = 6


def sequences(*, masked: bool = False, seed: int = 0) -> Samples:
    generator = np.random.default_rng(seed)
    inputs = {IDS: generator.integers(0, VOCABULARY, (COUNT, 1, LENGTH)).astype(np.float64)}
    if masked:
        ends = generator.integers(2, LENGTH, (COUNT, 1, 1))
        inputs[MASK] = (np.arange(LENGTH) < ends).astype(np.float64)
    return Samples(inputs)


def scored(source: onnx.ModelProto, samples: Samples, form: str = "all") -> Diagnosis:
    float_model = FloatModel(import_proto(source, ModelSelection.of((), None, form, ())))
    return diagnose(float_model, quantise_best(float_model, samples, 12, "max"), 12, samples)


def by_definition(source: onnx.ModelProto, samples: Samples) -> tuple[float, float]:
    """The share of right next tokens, and perplexity."""
    right, surprises = list[bool](), list[float]()
    for index, values in enumerate(FloatModel(import_proto(source)).run(samples)):
        ids = samples.inputs[IDS][index, 0].astype(int)
        counted = samples.inputs[MASK][index, 0] if MASK in samples.inputs else np.ones(LENGTH)
        for position in range(LENGTH - 1):
            if counted[position] and counted[position + 1]:
                scores: FloatArray = values[SCORES][0, position]
                p = np.exp(scores) / np.exp(scores).sum()
                right.append(bool(scores.argmax() == ids[position + 1]))
                surprises.append(-float(np.log(p[ids[position + 1]])))
    return float(np.mean(right)), float(np.exp(np.mean(surprises)))


@pytest.mark.parametrize("masked", [False, True])
def test_perplexity_of_scores(masked: bool) -> None:
    source, samples = token_model(masked=masked), sequences(masked=masked)
    score, (right, perplexity) = scored(source, samples).score, by_definition(source, samples)
    assert score.float_next_tokens == pytest.approx(right)
    assert score.float_perplexity == pytest.approx(perplexity)
    assert score.quantised_perplexity == pytest.approx(perplexity, rel=0.05)
    assert score.float_accuracy is None


def test_indices_have_right_tokens_and_no_perplexity() -> None:
    source, samples = token_model(), sequences()
    score = scored(source, samples, "argmax").score
    assert score.float_next_tokens == pytest.approx(by_definition(source, samples)[0])
    assert score.quantised_next_tokens is not None
    assert score.float_perplexity is None


def test_tokens_that_a_model_predicts_are_right() -> None:
    """Each token is set to the model's own answer, from the first on."""
    source, samples = token_model(), sequences()
    model = FloatModel(import_proto(source))
    for position in range(LENGTH - 1):
        for index, values in enumerate(model.run(samples)):
            samples.inputs[IDS][index, 0, position + 1] = values[SCORES][0, position].argmax()
    assert scored(source, samples).score.float_next_tokens == 1.0


def test_negative_tokens_count_from_the_end() -> None:
    source, samples = token_model(), sequences()
    other = Samples({IDS: samples.inputs[IDS] - VOCABULARY})
    assert scored(source, other).score.float_perplexity == scored(source, samples).score.float_perplexity


def test_the_last_position_alone_is_no_sequence() -> None:
    assert scored(token_model(), sequences(), "last").score == Score()


def test_a_mask_of_other_numbers_is_none() -> None:
    graph = import_proto(token_model(masked=True)).graph
    samples = sequences(masked=True)
    assert TokenSequences.of(graph, samples) is not None
    other = Samples({**samples.inputs, MASK: 2 * samples.inputs[MASK]})
    assert TokenSequences.of(graph, other) is None
