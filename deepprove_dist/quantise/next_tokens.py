"""How well both models predict the next tokens of sequences.

A sample is a sequence of L tokens. At position t a model says what token t + 1 is: by scores of all tokens,
or by the index of the largest one. With the softmax p of the scores, perplexity is exp(mean of -log p).
Without scores the share of right tokens says how good a model is. A mask of 0 and 1 says what counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from deepprove_dist.arrays import FloatArray, IntArray, Mask
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.samples import Samples

MOST_TOKENS = 1 << 24
"""Of a vocabulary; inputs of a wider range are no indices."""


@dataclass(frozen=True)
class Prediction:
    """What a model says of a sequence's next tokens.

    Attributes:
        count: tokens that are predicted.
        right: of them, those that the model finds most likely.
        surprise: the sum of -log p over them; NaN without scores.
    """

    count: int
    right: int
    surprise: float


@dataclass(frozen=True)
class TokenSequences:
    """Where a model has tokens: the input `ids`, a `mask` or none, and the output that predicts.

    ``vocabulary``: as many scores stand at each position, or the output has indices.
    """

    ids: str
    mask: str | None
    output: str
    vocabulary: int
    scored: bool

    @classmethod
    def of(cls, graph: FloatGraph, samples: Samples) -> TokenSequences | None:
        """Those of a model of sequences, None for any other model."""
        indices = {name for name, (_, high) in graph.wholes.items() if 1 < high < MOST_TOKENS}
        others = [name for name in graph.inputs if name not in indices]
        if len(indices) != 1 or len(others) > 1:
            return None
        (ids,) = indices
        length, vocabulary = prod(graph.shapes[ids]), graph.wholes[ids][1] + 1
        if length < 2 or max(graph.shapes[ids]) < length:
            return None
        for name in others:
            is_mask = prod(graph.shapes[name]) == length and np.isin(samples.inputs[name], (0, 1)).all()
            if not is_mask:
                return None
        predicting = [
            cls(ids, others[0] if others else None, name, vocabulary, scored)
            for name, tensor in graph.outputs.items()
            for scored in (True, False)
            if _predicts(graph, name, graph.shapes[tensor], (length, vocabulary), scored=scored)
        ]
        return predicting[0] if len(predicting) == 1 else None

    def prediction(self, samples: Samples, index: int, output: FloatArray) -> Prediction:
        """What an output says of the sample at ``index``."""
        ids: IntArray = samples.inputs[self.ids][index].reshape(-1).astype(np.int64)
        counted: Mask = np.ones(len(ids), dtype=bool)
        if self.mask is not None:
            counted = samples.inputs[self.mask][index].reshape(-1) == 1
        # A token that does not count predicts nothing either.
        counted = counted[1:] & counted[:-1]
        following = np.where(ids < 0, ids + self.vocabulary, ids)[1:][counted]
        if not self.scored:
            answers = output.reshape(-1)[:-1][counted]
            return Prediction(len(following), int((answers == following).sum()), np.nan)
        scores = output.reshape(len(ids), self.vocabulary)[:-1][counted]
        above = scores - scores.max(axis=1, keepdims=True)
        logarithms = above[np.arange(len(following)), following] - np.log(np.exp(above).sum(axis=1))
        right = int((scores.argmax(axis=1) == following).sum())
        return Prediction(len(following), right, -float(logarithms.sum()))


def _predicts(
    graph: FloatGraph, output: str, shape: tuple[int, ...], sizes: tuple[int, int], *, scored: bool
) -> bool:
    """Whether an output has scores of all tokens, or an index, at each position."""
    if scored:
        return shape[-1:] == sizes[1:] and prod(shape) == prod(sizes) and output not in graph.whole_outputs
    return output in graph.index_outputs and prod(shape) == sizes[0]
