"""Security parameters: derived from sizes by formulas, with the soundness account and the cost model.

`choose` makes a schedule for a model, `error_terms` and `require_security` say what any schedule is worth.
"""

from .choose import Profile, Weights, choose
from .cost import most_bytes, proof_bytes
from .schedule import Code, InitialCode, Schedule
from .security import FIELD_BITS, SECURITY_BITS, ErrorTerm, error_terms, require_security, total_bits
from .shape import Lookups, PointClaims, ProtocolShape, SumcheckInstances
from .times import estimated_milliseconds, loading_milliseconds, proving_milliseconds

__all__ = [
    "FIELD_BITS",
    "SECURITY_BITS",
    "Code",
    "ErrorTerm",
    "InitialCode",
    "Lookups",
    "PointClaims",
    "Profile",
    "ProtocolShape",
    "Schedule",
    "SumcheckInstances",
    "Weights",
    "choose",
    "error_terms",
    "estimated_milliseconds",
    "loading_milliseconds",
    "most_bytes",
    "proof_bytes",
    "proving_milliseconds",
    "require_security",
    "total_bits",
]
