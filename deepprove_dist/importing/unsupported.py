"""What to say of a node whose operator has no rule."""

from collections.abc import Mapping
from types import MappingProxyType

import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.rewriting.reasons import CUT, UnsupportedNodeError
from deepprove_dist.importing.rewriting.standard import STANDARD
from deepprove_dist.importing.rules import REFUSALS

OPERATORS = "what the command `operators` lists, and anything computed from constants alone"

OPTIMISED = (
    "save the model without onnxruntime's optimisations (graph_optimization_level ORT_DISABLE_ALL), or give "
    "the file they began with"
)
TABULAR = (
    "export the model as tensor operations, as hummingbird does. "
    "Or cut out the part between such nodes with onnx.utils.extract_model"
)

_DOMAINS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ai.onnx.ml": ("it is an operator of classical machine learning", TABULAR),
        "com.microsoft": ("it is one of onnxruntime's operators, not of the ONNX standard", OPTIMISED),
        "com.microsoft.nchwc": ("it is one of onnxruntime's operators, not of the ONNX standard", OPTIMISED),
    }
)


def without_rule(proto: onnx.NodeProto, expansion: Expansion | None) -> UnsupportedNodeError:
    """The error for a node whose operator has no rule, and is not written out by its expansion, if any."""
    if (refusal := REFUSALS.get(proto.op_type)) is not None:
        return UnsupportedNodeError(refusal.reason, refusal.supported, refusal.advice)
    if expansion is not None:
        return UnsupportedNodeError("this form of the operator is not supported", expansion.description, CUT)
    if proto.domain in STANDARD:
        return UnsupportedNodeError("this operator is not supported", OPERATORS, CUT)
    what = f"it is an operator of '{proto.domain}', not of the ONNX standard"
    reason, advice = _DOMAINS.get(proto.domain, (what, CUT))
    return UnsupportedNodeError(reason, "operators of the ONNX standard", advice)
