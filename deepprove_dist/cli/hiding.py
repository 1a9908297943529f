"""What proofs hide, in words: for set-up, prove, verify and inspect alike.

The verifier's command loads this module, which loads no prover.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.parameters import proofs_revealing_weights


def mode_fields(key: KeyContent) -> dict[str, str]:
    """What the proofs of a key hide, for programs: `mode` and `hides`."""
    if not key.schedule.initial.hiding:
        return {"mode": "transparent", "hides": "nothing"}
    return {"mode": "hiding", "hides": "activations" if key.weights is None else "weights and activations"}


def mode_words(fields: Mapping[str, Any]) -> str:
    """The same for people."""
    return f"{fields['mode']}: hides {fields['hides']}"


def transparent_warning(key: KeyContent) -> str | None:
    """A sentence for those who prove with transparent keys; None for hiding ones."""
    initial = key.schedule.initial
    if initial.hiding:
        return None
    proofs = proofs_revealing_weights(initial)
    begin = "these keys are transparent: their proofs hide nothing"
    if proofs is None:
        return f"{begin} of the activations"
    return f"{begin}, and who sees {proofs} of them can compute all weights"


def proofs_left(remaining: int | None) -> str:
    """How many proofs are left, for a table."""
    return "no limit" if remaining is None else f"{remaining:,}"
