"""Keys of the tiny language model, and honest proofs whose context says whatever it is told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

import deepprove_dist as dp
from deepprove_dist.generations import GenerationContext
from tests.token_models import IDS, LENGTH, MASK, token_model, token_samples

PROMPT, NEW, PADDING = (1, 2, 3), 3, 5


@cache
def token_keys(masked: bool = False, hiding: bool = False, **model: Any) -> dp.ProvingKey:
    return dp.setup(
        token_model(masked=masked, **model),
        token_samples(masked=masked),
        output_form="argmax",
        activation_bits=12,
        accept_error=True,
        transparent=not hiding,
        max_batch=2,
        threads=1,
    )


def prove_tokens(
    keys: dp.ProvingKey,
    ids: Sequence[int],
    counted: int,
    *,
    prompt: int = len(PROMPT),
    length: int | None = None,
    padding: int = PADDING,
    samples: int = 1,
) -> dp.Proof:
    """An honest proof of any tokens, of which the mask counts some; its context says whatever it is told."""
    inputs = {IDS: np.array([[ids]] * samples)}
    if len(keys.model.inputs) > 1:
        inputs[MASK] = np.array([[np.arange(LENGTH) < counted]] * samples)
    stated = GenerationContext.of(prompt, counted if length is None else length, padding, b"")
    return keys.prove(inputs, context=bytes(stated))


def padded(tokens: Sequence[int]) -> list[int]:
    return [*tokens, *[PADDING] * (LENGTH - len(tokens))]
