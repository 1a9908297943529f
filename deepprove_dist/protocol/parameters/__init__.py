"""Security parameters: derived from sizes by formulas, with the soundness account and the cost model.

`choose` makes a schedule for a model, `error_terms` and `require_security` say what any schedule is worth.
"""

from .certificate import (
    certificate_schedule,
    certificate_shape,
    most_certificate_bytes,
    require_certificate,
)
from .choose import LEAST_PROOFS, MAX_PROOFS, ProofObjective, Weights, choose
from .cost import most_bytes, proof_bytes
from .exposure import proofs_revealing_weights
from .initial_code import CERTIFICATES, LOG_TAIL_STEPS, UNUSED_TAIL_ROWS, InitialCode
from .matrix_code import MATRICES, MAX_HIDDEN, MatrixCode, check_code, check_range
from .memory import PROCESS_BYTES, proving_bytes, require_memory
from .outer import ErrorTerm
from .products import FINALS, SMALL_DEGREE, ProductChecks, round_coefficients
from .proximity import Johnson, UniqueDecoding
from .regimes import FIELD_BITS
from .schedule import DEFAULT_SECURITY_BITS, SECURITY_LEVELS, Code, Schedule
from .security import (
    HASH_COLLISION_BITS,
    code_regimes,
    error_terms,
    largest_round_bits,
    refereed_bits,
    require_security,
    total_bits,
)
from .shape import Lookups, PointClaims, ProtocolShape, SumcheckInstances
from .times import (
    Portion,
    estimated_milliseconds,
    loading_milliseconds,
    portion_milliseconds,
    proving_milliseconds,
)

__all__ = [
    "CERTIFICATES",
    "DEFAULT_SECURITY_BITS",
    "FIELD_BITS",
    "FINALS",
    "HASH_COLLISION_BITS",
    "LEAST_PROOFS",
    "LOG_TAIL_STEPS",
    "MATRICES",
    "MAX_HIDDEN",
    "MAX_PROOFS",
    "PROCESS_BYTES",
    "SECURITY_LEVELS",
    "SMALL_DEGREE",
    "UNUSED_TAIL_ROWS",
    "Code",
    "ErrorTerm",
    "InitialCode",
    "Johnson",
    "Lookups",
    "MatrixCode",
    "PointClaims",
    "Portion",
    "ProductChecks",
    "ProofObjective",
    "ProtocolShape",
    "Schedule",
    "SumcheckInstances",
    "UniqueDecoding",
    "Weights",
    "certificate_schedule",
    "certificate_shape",
    "check_code",
    "check_range",
    "choose",
    "code_regimes",
    "error_terms",
    "estimated_milliseconds",
    "largest_round_bits",
    "loading_milliseconds",
    "most_bytes",
    "most_certificate_bytes",
    "portion_milliseconds",
    "proof_bytes",
    "proofs_revealing_weights",
    "proving_bytes",
    "proving_milliseconds",
    "refereed_bits",
    "require_certificate",
    "require_memory",
    "require_security",
    "round_coefficients",
    "total_bits",
]
