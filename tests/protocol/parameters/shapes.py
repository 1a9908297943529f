"""Shapes like those of the benchmark models, and codes by their numbers, for tests of the parameters."""

from __future__ import annotations

from typing import Any

from deepprove_dist.protocol.parameters import (
    InitialCode,
    Lookups,
    MatrixCode,
    PointClaims,
    ProtocolShape,
    SumcheckInstances,
)
from tests.records import replace


def initial_code(
    log_rows: int,
    weight_columns: int,
    witness_columns: int,
    log_inverse_rate: int,
    weight_log_group: int = 0,
    witness_log_group: int = 0,
    queries: int = 1,
) -> InitialCode:
    """A transparent code of weights, if there are columns of them, and a witness."""
    weights = MatrixCode("weights", weight_columns, weight_log_group) if weight_columns else None
    witness = MatrixCode("witness", witness_columns, witness_log_group)
    return InitialCode(log_rows, log_inverse_rate, queries, (weights, witness) if weights else (witness,))


def hiding_code(
    log_rows: int, log_inverse_rate: int, queries: int, weights: int = 8, witness: int = 8, tail: int = 0
) -> InitialCode:
    """A hiding code without groups; no columns of weights are public weights."""
    code = initial_code(log_rows, weights, witness, log_inverse_rate, queries=queries)
    hiding = replace(code, hiding=True)
    return changed_matrix(hiding, "weights", tail=tail)


def changed_matrix(code: InitialCode, kind: str, **changes: Any) -> InitialCode:
    """The code with another matrix of a kind."""
    matrices = (replace(m, **changes) if m.matrix == kind else m for m in code.matrices)
    return replace(code, matrices=tuple(matrices))


def mlp_shape(layers: int, log_leaves: int) -> ProtocolShape:
    """A multilayer perceptron whose lookups fill three quarters of 2^log_leaves leaves."""
    return ProtocolShape(
        public=PointClaims(count=2, variables=10),
        linear=PointClaims(count=layers, variables=12),
        sumcheck=SumcheckInstances(layers, point_variables=12, variables=12, degree=2, coefficients=24),
        lookups=Lookups(log_leaves=log_leaves, fractions=3 << log_leaves - 2, width=2),
        claims=4 * layers + 4,
    )


SMALL_MLP = mlp_shape(layers=4, log_leaves=13)
DENSE_4M = mlp_shape(layers=6, log_leaves=16)
