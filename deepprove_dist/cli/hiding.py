"""What proofs hide, in words: for set-up, prove, verify and inspect alike.

The verifier's command loads this module, which loads no prover.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deepprove_dist.cli.output import milliseconds, size
from deepprove_dist.modes import hides, mode_of
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.parameters import proofs_revealing_weights


def mode_fields(key: KeyContent) -> dict[str, str]:
    """What the proofs of a key hide, for programs: `mode` and `hides`."""
    return {"mode": mode_of(key), "hides": hides(key)}


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


def hiding_pairs(cost: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of a table: how many proofs hiding keys allow, and estimates of what each costs."""
    yield "proofs allowed", "any number" if cost["proofs"] is None else f"{cost['proofs']:,}"
    yield "size of a proof", _factor(size, cost["proof_bytes"], cost["transparent_bytes"])
    yield "time to prove", _factor(milliseconds, cost["proving_ms"], cost["transparent_ms"])


def _factor(shown: Callable[[float], str], hiding: float, transparent: float) -> str:
    """An estimate, beside that of transparent proofs."""
    factor = f"{hiding / transparent:.2f} times"
    return f"about {shown(hiding)}, {factor} that of a transparent one ({shown(transparent)})"
