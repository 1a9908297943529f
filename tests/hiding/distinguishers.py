"""Simple tests that learn to tell proofs of two models apart, and are asked about others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deepprove_dist.arrays import FloatArray, IntArray

Labels = IntArray
Classifier = Callable[[FloatArray, Labels], Callable[[FloatArray], Labels]]
"""From features [proofs, values] and labels 0 and 1 to what labels others."""

STEPS, RATE, DECAY = 300, 0.5, 1e-2
BINS = 4


def nearest_mean(features: FloatArray, labels: Labels) -> Callable[[FloatArray], Labels]:
    """The label whose mean is nearer."""
    means = [features[labels == label].mean(axis=0) for label in range(2)]
    middle, direction = (means[0] + means[1]) / 2, means[1] - means[0]
    return lambda others: ((others - middle) @ direction > 0).astype(np.int64)


def logistic(features: FloatArray, labels: Labels) -> Callable[[FloatArray], Labels]:
    """Logistic regression by gradient descent, with weight decay."""
    weights, bias = np.zeros(features.shape[1]), 0.0
    for _ in range(STEPS):
        errors = 1 / (1 + np.exp(-np.clip(features @ weights + bias, -30, 30))) - labels
        weights -= RATE * (features.T @ errors / len(labels) + DECAY * weights)
        bias -= RATE * float(errors.mean())
    return lambda others: (others @ weights + bias > 0).astype(np.int64)


def likelihood(features: FloatArray, labels: Labels) -> Callable[[FloatArray], Labels]:
    """The likelier label, by how often values of each coordinate fall into each quarter of the range."""

    def binned(values: FloatArray) -> IntArray:
        return np.clip(((values + 0.5) * BINS).astype(np.int64), 0, BINS - 1)

    bins, scores = binned(features), []
    for label in range(2):
        counts = np.stack([(bins[labels == label] == value).sum(axis=0) for value in range(BINS)])
        scores.append(np.log(counts + 1.0) - np.log((labels == label).sum() + BINS))
    gain = scores[1] - scores[0]

    def classify(others: FloatArray) -> Labels:
        columns = np.arange(others.shape[1])
        decided: Labels = (gain[binned(others), columns].sum(axis=1) > 0).astype(np.int64)
        return decided

    return classify


CLASSIFIERS: dict[str, Classifier] = {
    "nearest mean": nearest_mean,
    "logistic regression": logistic,
    "likelihood": likelihood,
}


def right_guesses(classifier: Classifier, first: FloatArray, second: FloatArray) -> tuple[int, int]:
    """Right guesses, and all, on the second half of both samples [proofs, values]; the first half trains."""
    half = len(first) // 2
    known = np.concatenate([first[:half], second[:half]])
    classify = classifier(known, np.repeat([0, 1], half))
    guesses = np.concatenate([classify(first[half:]), 1 - classify(second[half:])])
    return int((guesses == 0).sum()), len(guesses)
