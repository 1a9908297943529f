"""One rule for each ONNX operator: what of it is supported, and the float nodes that it means.

To support an operator, write its rule in a file here and list it below. Operators on constants alone need
none.
"""

from collections.abc import Mapping
from types import MappingProxyType

from deepprove_dist.importing.rule import Rule
from deepprove_dist.importing.rules import add, gemm, matmul, passthrough, relu, reshape

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.operator: rule
        for rule in (*gemm.RULES, *matmul.RULES, *add.RULES, *relu.RULES, *reshape.RULES, *passthrough.RULES)
    }
)
