"""What the proofs of a key hide, as its schedule says. Nothing here loads the prover."""

from __future__ import annotations

from typing import Literal

from deepprove_dist.protocol.key.key import KeyContent

Mode = Literal["hiding", "transparent"]


def mode_of(key: KeyContent) -> Mode:
    """Whether proofs for a key hide anything."""
    return "hiding" if key.schedule.initial.hiding else "transparent"


def hides(key: KeyContent) -> str:
    """What they hide, in a few words."""
    if not key.schedule.initial.hiding:
        return "nothing"
    hidden = [f"'{public.name}'" for public in key.system.hidden]
    what = ["activations", *hidden] if key.weights is None else ["weights", "activations", *hidden]
    *others, last = what
    return f"{', '.join(others)} and {last}" if others else last
