"""The integer operators by name."""

from collections.abc import Mapping
from types import MappingProxyType

from deepprove_dist.operators.base import Operator
from deepprove_dist.operators.dense import Dense
from deepprove_dist.operators.requantise import Requantise
from deepprove_dist.operators.reshape import Reshape

OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {operator.name: operator for operator in (Dense(), Requantise(), Reshape())}
)
