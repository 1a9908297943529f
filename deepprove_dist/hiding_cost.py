"""What hiding costs against a transparent proof of the same model, by the models of size and time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from deepprove_dist.model.hidden_names import NOTHING_HIDDEN
from deepprove_dist.protocol.key.account import protocol_shape
from deepprove_dist.protocol.parameters import Schedule, estimated_milliseconds, proof_bytes
from deepprove_dist.protocol.system.system import Matrix, System
from deepprove_dist.setup_options import Options, choose_schedule


@dataclass(frozen=True)
class HidingCost:
    """Estimates for a hiding proof and a transparent one, of the largest number of samples.

    Attributes:
        proofs: how many proofs the keys allow in an epoch; None where their number does not matter.
        proof_bytes, transparent_bytes: of a proof.
        proving_ms, transparent_ms: milliseconds on two cores with AVX-512.
    """

    proofs: int | None
    proof_bytes: int
    transparent_bytes: int
    proving_ms: float
    transparent_ms: float


def hiding_cost(largest: System, schedule: Schedule, options: Options) -> HidingCost:
    """The cost of a hiding schedule that was chosen by `options` for a system of the most samples."""
    shape, weights = protocol_shape(largest), largest.values(Matrix.WEIGHTS)
    transparent = choose_schedule(largest, replace(options, hiding=False, proofs=None, hidden=NOTHING_HIDDEN))
    return HidingCost(
        proofs=schedule.initial.proofs,
        proof_bytes=proof_bytes(schedule, shape),
        transparent_bytes=proof_bytes(transparent, shape),
        proving_ms=estimated_milliseconds(schedule, shape, weights),
        transparent_ms=estimated_milliseconds(transparent, shape, weights),
    )
