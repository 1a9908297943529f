"""What a job says of its proof: the fields of `prove --json`."""

from __future__ import annotations

from typing import Any

from deepprove_dist.proving import ProofResult
from deepprove_dist.service.loaded_keys import LoadedKey, worker_report


def result_fields(proof: ProofResult, loaded: LoadedKey) -> dict[str, Any]:
    """Values that JSON has. Outputs are by name, [samples, *shape]."""
    epoch = loaded.keys.prover.epoch
    return {
        "epoch": None if epoch is None else epoch.number,
        "remaining": proof.remaining,
        "proving_ms": proof.proving_ms,
        "inference_ms": proof.inference_ms,
        "self_check_ms": proof.self_check_ms,
        "proof_bytes": len(proof),
        "peak_rss_bytes": proof.peak_rss_bytes,
        "output": {name: values.tolist() for name, values in proof.output.items()},
        "output_integers": {name: values.tolist() for name, values in proof.output_integers.items()},
        "commitments": {name: opening.commitment.digest.hex() for name, opening in proof.openings.items()},
        "workers": worker_report(loaded),
        "recovery": None if loaded.group is None else loaded.group.recovery.report(),
    }
