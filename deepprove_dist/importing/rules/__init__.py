"""One rule for each ONNX operator: what of it is supported, and the float nodes that it means.

To support an operator, write its rule in a file here and list it below. Operators on constants alone need
none.
"""

from collections.abc import Mapping
from types import MappingProxyType

from deepprove_dist.importing.rule import Rule
from deepprove_dist.importing.rules import (
    activation,
    arithmetic,
    conv,
    gemm,
    layout,
    matmul,
    normalisation,
    passthrough,
    pooling,
    reduce,
    reshape,
)

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.operator: rule
        for rule in (
            *activation.RULES,
            *arithmetic.RULES,
            *conv.RULES,
            *gemm.RULES,
            *layout.RULES,
            *matmul.RULES,
            *normalisation.RULES,
            *passthrough.RULES,
            *pooling.RULES,
            *reduce.RULES,
            *reshape.RULES,
        )
    }
)
