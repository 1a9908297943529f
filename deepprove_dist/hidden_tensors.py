"""Openings of hidden inputs and outputs, as a prover uses and makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.choices import require_kind
from deepprove_dist.errors import ChoiceError, InputError
from deepprove_dist.openings import Opening
from deepprove_dist.protocol.hidden.commit import HiddenMatrix
from deepprove_dist.protocol.hidden.statement import commitment_sizes
from deepprove_dist.protocol.key.key import KeyContent


def require_openings(
    key: KeyContent, openings: Mapping[str, Opening], samples: int, integers: Mapping[str, IntArray]
) -> None:
    """Requires that a proof about so many samples can be about the commitments of these openings, by name.

    `integers` are the inputs.

    Raises ChoiceError for a tensor that the key does not hide, and KindError. Raises InputError for a
    commitment of other sizes, or to other inputs.
    """
    if not openings:
        return
    system = key.system.for_batch(samples)
    sizes = commitment_sizes(system, key.schedule.initial)
    names = [public.name for public in system.hidden]
    for name, opening in openings.items():
        require_kind("prove", opening, Opening, "an opening: Opening.load(path)")
        if name not in names:
            raise ChoiceError(f"the keys hide no input or output '{name}': they hide {names}")
        if opening.commitment.sizes != sizes[names.index(name)]:
            raise InputError(
                f"the commitment to '{name}' was made for other parameters than those of these keys, or for "
                "another number of samples"
            )
    require_opened({name: opening for name, opening in openings.items() if name in integers}, integers)


def require_opened(openings: Mapping[str, Opening], integers: Mapping[str, IntArray]) -> None:
    """Raises InputError where integers are not those of the commitment that is to stand for them."""
    for name, opening in openings.items():
        if not np.array_equal(integers[name].reshape(-1), opening.integers.reshape(-1)):
            raise InputError(
                f"'{name}' has other values than those of the commitment that is to stand for it"
            )


def openings_of(
    key: KeyContent,
    matrices: Sequence[HiddenMatrix],
    integers: Mapping[str, IntArray],
    openings: Mapping[str, Opening],
) -> dict[str, Opening]:
    """The openings of a proof's commitments, by name; those that the proof was given stay as they are."""
    rows = key.schedule.initial.rows_of_proof
    return {
        public.name: openings.get(public.name)
        or Opening.of(public.name, matrix.commitment, integers[public.name], matrix.seed, rows)
        for public, matrix in zip(key.system.hidden, matrices, strict=True)
    }
