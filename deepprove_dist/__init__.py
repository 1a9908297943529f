"""Succinct proofs that a committed neural network maps a given input to a given output.

import deepprove_dist as dp

keys = dp.setup("model.onnx", "calibration.npz")
proof = dp.prove(keys.proving, x)
statement = dp.verify(keys.verifying, proof)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepprove_dist.api import InferenceResult, Keys, ProofResult, infer, load_input, prove, setup
    from deepprove_dist.auditing import audit
    from deepprove_dist.checks import Check, list_checks
    from deepprove_dist.errors import (
        AccuracyError,
        AccuracyWarning,
        ChoiceError,
        DeepProveError,
        VerificationError,
    )
    from deepprove_dist.estimating import estimate
    from deepprove_dist.inspecting import inspect_file, security_summary, security_terms
    from deepprove_dist.keys import load_proving_key, save_keys
    from deepprove_dist.samples import Samples
    from deepprove_dist.verifier import Statement, load_public_weights, load_verifying_key, verify

__version__ = "0.1.0"

# Loaded when first used (PEP 562): a verifier must not pay for, or depend on, the prover and ONNX.
_HOMES = {
    "api": ("InferenceResult", "Keys", "ProofResult", "infer", "load_input", "prove", "setup"),
    "auditing": ("audit",),
    "checks": ("Check", "list_checks"),
    "errors": ("AccuracyError", "AccuracyWarning", "ChoiceError", "DeepProveError", "VerificationError"),
    "estimating": ("estimate",),
    "inspecting": ("inspect_file", "security_summary", "security_terms"),
    "keys": ("load_proving_key", "save_keys"),
    "samples": ("Samples",),
    "verifier": ("Statement", "load_public_weights", "load_verifying_key", "verify"),
}

__all__ = [
    "AccuracyError",
    "AccuracyWarning",
    "Check",
    "ChoiceError",
    "DeepProveError",
    "InferenceResult",
    "Keys",
    "ProofResult",
    "Samples",
    "Statement",
    "VerificationError",
    "audit",
    "estimate",
    "infer",
    "inspect_file",
    "list_checks",
    "load_input",
    "load_proving_key",
    "load_public_weights",
    "load_verifying_key",
    "prove",
    "save_keys",
    "security_summary",
    "security_terms",
    "setup",
    "verify",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
