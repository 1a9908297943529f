"""The integer operators by the names that models' files have for them: one line for each module."""

from collections.abc import Mapping
from types import MappingProxyType

from deepprove_dist.operators.concat import Concat
from deepprove_dist.operators.conv import Conv
from deepprove_dist.operators.dense import Dense
from deepprove_dist.operators.integer_operator import IntegerOperator
from deepprove_dist.operators.max_pool import MaxPool
from deepprove_dist.operators.multiply import Multiply
from deepprove_dist.operators.pad import Pad
from deepprove_dist.operators.requantise import Requantise
from deepprove_dist.operators.reshape import Reshape
from deepprove_dist.operators.sum_pool import SumPool
from deepprove_dist.operators.transpose import Transpose
from deepprove_dist.operators.weighted_sum import WeightedSum

OPERATORS: Mapping[str, IntegerOperator] = MappingProxyType(
    {
        operator.name: operator
        for operator in (
            Concat(),
            Conv(),
            Dense(),
            MaxPool(),
            Multiply(),
            Pad(),
            Requantise(),
            Reshape(),
            SumPool(),
            Transpose(),
            WeightedSum(),
        )
    }
)
"""Every operator that an integer model may have."""
