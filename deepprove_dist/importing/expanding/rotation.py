"""Rotary positions: of a pair of features (a, b), a rotation makes (a cos - b sin, a sin + b cos)."""

from __future__ import annotations

import numpy as np

from deepprove_dist.importing.expanding.attention_heads import Heads
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError


def rotated(
    new: NodeReplacement, part: Heads, tables: tuple[str, str], half: int, *, interleaved: bool
) -> str:
    """A tensor with heads, of which the first 2 * ``half`` features are rotated.

    Tables are cosines and sines [batch, length, half]. Pairs are neighbours, or a half apart.
    """
    (tensor, (_, _, _, features)), like = part, new.input(0)
    width = 2 * half
    if width > features:
        raise UnsupportedNodeError(f"its angles are for {width} features, but there are {features}")
    first = np.arange(half) * 2 if interleaved else np.arange(half)
    second = first + (1 if interleaved else half)
    partners, angles = np.arange(features), np.zeros(features, dtype=np.int64)
    kept, signs = np.ones(features), np.zeros(features)
    partners[first], partners[second] = second, first
    angles[first] = angles[second] = np.arange(half)
    kept[:width], signs[first], signs[second] = 0, -1, 1
    cosines, sines = (new.add("Gather", table, new.integers(angles), axis=2) for table in tables)
    factors = new.add("Mul", cosines, new.constant(1 - kept, like))
    factors = new.add("Add", factors, new.constant(kept, like))
    offsets = new.add("Mul", sines, new.constant(signs, like))
    partner = new.add("Gather", tensor, new.integers(partners), axis=3)
    terms = (
        new.add("Mul", values, new.add("Unsqueeze", by, new.integers([1])))
        for values, by in ((tensor, factors), (partner, offsets))
    )
    return new.add("Add", *terms)


def of_positions(new: NodeReplacement, table: str, positions: str) -> str:
    """Rows of a table [positions, features] for each position [batch, length]."""
    return new.add("Gather", table, positions, axis=0)
