"""Succinct proofs that a committed neural network maps a given input to a given output.

import deepprove_dist as dp

keys = dp.setup("model.onnx", samples)
proof = keys.prove(x)
statement = keys.verifying.verify(proof)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepprove_dist.auditing import AuditReport, audit
    from deepprove_dist.certificates import Certificate
    from deepprove_dist.checks import Check, list_checks
    from deepprove_dist.descriptions import (
        CertificateDescription,
        FolderDescription,
        KeyDescription,
        ModelDescription,
        ProofDescription,
    )
    from deepprove_dist.errors import (
        AccuracyError,
        AccuracyWarning,
        BudgetError,
        ChoiceError,
        CopiedKeysError,
        DeepProveError,
        ExecutionError,
        FormatError,
        InputError,
        InputRangeError,
        KindError,
        ModelError,
        QuantisationError,
        SamplesError,
        SecretError,
        SecurityError,
        UnsupportedModelError,
        VerificationError,
    )
    from deepprove_dist.estimating import Estimate, estimate
    from deepprove_dist.inspecting import inspect
    from deepprove_dist.model.integer_model import IntegerModel
    from deepprove_dist.openings import Opening
    from deepprove_dist.proofs import Proof
    from deepprove_dist.protocol.messages.commitment import Commitment
    from deepprove_dist.proving import InferenceResult, ProofResult
    from deepprove_dist.proving_key import ProvingKey
    from deepprove_dist.samples import Samples
    from deepprove_dist.security import SecurityReport
    from deepprove_dist.setting_up import SetupResult, setup
    from deepprove_dist.setup_report import SetupReport
    from deepprove_dist.verifier import Statement
    from deepprove_dist.verifying_key import VerifyingKey

__version__ = "0.1.0"

# Loaded when first used (PEP 562): a verifier must not pay for, or depend on, the prover and ONNX.
_HOMES = {
    "auditing": ("AuditReport", "audit"),
    "certificates": ("Certificate",),
    "checks": ("Check", "list_checks"),
    "errors": (
        "AccuracyError",
        "AccuracyWarning",
        "BudgetError",
        "ChoiceError",
        "CopiedKeysError",
        "DeepProveError",
        "ExecutionError",
        "FormatError",
        "InputError",
        "InputRangeError",
        "KindError",
        "ModelError",
        "QuantisationError",
        "SamplesError",
        "SecretError",
        "SecurityError",
        "UnsupportedModelError",
        "VerificationError",
    ),
    "estimating": ("Estimate", "estimate"),
    "descriptions": (
        "CertificateDescription",
        "FolderDescription",
        "KeyDescription",
        "ModelDescription",
        "ProofDescription",
    ),
    "inspecting": ("inspect",),
    "protocol.messages.commitment": ("Commitment",),
    "proving_key": ("ProvingKey",),
    "model.integer_model": ("IntegerModel",),
    "openings": ("Opening",),
    "proofs": ("Proof",),
    "proving": ("InferenceResult", "ProofResult"),
    "samples": ("Samples",),
    "security": ("SecurityReport",),
    "setting_up": ("SetupResult", "setup"),
    "setup_report": ("SetupReport",),
    "verifier": ("Statement",),
    "verifying_key": ("VerifyingKey",),
}

__all__ = [
    "AccuracyError",
    "AccuracyWarning",
    "AuditReport",
    "BudgetError",
    "Certificate",
    "CertificateDescription",
    "Check",
    "ChoiceError",
    "Commitment",
    "CopiedKeysError",
    "DeepProveError",
    "Estimate",
    "ExecutionError",
    "FolderDescription",
    "FormatError",
    "InferenceResult",
    "InputError",
    "InputRangeError",
    "IntegerModel",
    "KeyDescription",
    "KindError",
    "ModelDescription",
    "ModelError",
    "Opening",
    "Proof",
    "ProofDescription",
    "ProofResult",
    "ProvingKey",
    "QuantisationError",
    "Samples",
    "SamplesError",
    "SecretError",
    "SecurityError",
    "SecurityReport",
    "SetupReport",
    "SetupResult",
    "Statement",
    "UnsupportedModelError",
    "VerificationError",
    "VerifyingKey",
    "audit",
    "estimate",
    "inspect",
    "list_checks",
    "setup",
]


if not TYPE_CHECKING:
    # A type checker is to see the names above, and no others.
    def __getattr__(name: str) -> Any:
        for module, names in _HOMES.items():
            if name in names:
                return getattr(importlib.import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
