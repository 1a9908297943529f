"""Shapes like those of the benchmark models, for tests of the parameters."""

from __future__ import annotations

from deepprove_dist.protocol.parameters import Lookups, PointClaims, ProtocolShape, SumcheckInstances


def mlp_shape(layers: int, log_leaves: int) -> ProtocolShape:
    """A multilayer perceptron whose lookups fill three quarters of 2^log_leaves leaves."""
    return ProtocolShape(
        public=PointClaims(count=2, variables=10),
        linear=PointClaims(count=layers, variables=12),
        sumcheck=SumcheckInstances(count=layers, point_variables=12, variables=12, degree=2),
        lookups=Lookups(log_leaves=log_leaves, fractions=3 << log_leaves - 2, width=2),
        claims=4 * layers + 4,
    )


SMALL_MLP = mlp_shape(layers=4, log_leaves=13)
DENSE_4M = mlp_shape(layers=6, log_leaves=16)
