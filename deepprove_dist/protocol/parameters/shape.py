"""What the soundness account and the cost model must know of a lowered model: counts, never values."""

from __future__ import annotations

from dataclasses import dataclass

from deepprove_dist.errors import SecurityError

from .products import ProductChecks


@dataclass(frozen=True)
class PointClaims:
    """`count` tensors, each bound by its value at a random point of at most `variables` coordinates."""

    count: int
    variables: int


@dataclass(frozen=True)
class SumcheckInstances:
    """The contractions and products of all layers, proven in one batched sumcheck.

    `point_variables` bounds the coordinates of an instance's random output point, `variables` the rounds,
    `degree` the degree of every round polynomial. `coefficients` are what all rounds send: see
    `round_coefficients`.
    """

    count: int
    point_variables: int
    variables: int
    degree: int
    coefficients: int


@dataclass(frozen=True)
class Lookups:
    """One fraction tree of 2^log_leaves leaves.

    `fractions` counts lookups and table entries, without padding. `width` is the largest number of columns in
    a tuple, without the table's id. All are 0 for a model without lookups.
    """

    log_leaves: int
    fractions: int
    width: int


@dataclass(frozen=True)
class ProtocolShape:
    """The numbers on which the errors outside the opening depend.

    `public` are the inputs and outputs, `linear` the linear relations. `claims` counts all linear claims that
    enter the opening, without the out-of-domain ones and those that only a hiding proof has.

    Raises SecurityError where a number is negative, or lookups have fractions that their tree cannot hold.
    """

    public: PointClaims
    linear: PointClaims
    sumcheck: SumcheckInstances
    lookups: Lookups
    claims: int

    def __post_init__(self) -> None:
        parts = (self.public, self.linear, self.sumcheck, self.lookups)
        if self.claims < 1 or any(value < 0 for part in parts for value in vars(part).values()):
            raise SecurityError("a protocol shape has at least one claim and no negative counts")
        if self.lookups.fractions > 1 << self.lookups.log_leaves:
            raise SecurityError(f"{self.lookups.fractions} fractions in 2^{self.lookups.log_leaves} leaves")

    @property
    def products(self) -> ProductChecks:
        """The numbers of the constraints on products, and of the scalars that are sent."""
        return ProductChecks(self.sumcheck.count, self.sumcheck.coefficients, self.lookups.log_leaves)
