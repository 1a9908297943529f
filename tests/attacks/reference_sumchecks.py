"""Batched sumcheck and fraction tree in plain Python, over a channel to the verifier.

Whoever uses them may lie in what the channel sends; they go on from what was sent. A stubborn prover's last
message of each step is chosen to pass the verifier's check of that step.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TypeVar

from deepprove_dist.kernels import Extension
from tests.attacks.arithmetic import ONE, ZERO, Values, dot, eq, fold, halves, inverse
from tests.attacks.channel import Channel
from tests.attacks.reference_products import Constraint, Row
from tests.attacks.tracked import Tracked

FACTORS = 2
"""Of a product whose final evaluations are sent; eq of shared axes is a third that both sides compute."""

Scalar = TypeVar("Scalar", Extension, Tracked)


def product_sum(factors: list[Values]) -> Extension:
    """The sum over x of the product of all factor(x)."""
    return sum((prod(values, start=ONE) for values in zip(*factors, strict=True)), ZERO)


def product_round(factors: list[Values]) -> Values:
    """Coefficients c_0, c_2, c_3, ... of the sum over x of the product of all factor(X, x)."""
    totals = [ZERO] * (len(factors) + 1)
    for lines in zip(*(zip(*halves(factor), strict=True) for factor in factors), strict=True):
        product = [ONE]
        for low, high in lines:
            constant, slope = [low * c for c in product], [(high - low) * c for c in product]
            product = [a + b for a, b in zip([*constant, ZERO], [ZERO, *slope], strict=True)]
        totals = [total + c for total, c in zip(totals, product, strict=True)]
    return [totals[0], *totals[2:]]


def next_claim(claim: Scalar, sent: Sequence[Scalar], r: Extension) -> Scalar:
    """r claim + (1 - 2 r) c_0 + the sum over j >= 2 of (r^j - r) c_j."""
    c0, *higher = sent
    value, power = r * claim + (1 - 2 * r) * c0, r
    for coefficient in higher:
        power *= r
        value += (power - r) * coefficient
    return value


def padded_round(channel: Channel, sent: Values, claim: Tracked) -> tuple[Extension, Tracked]:
    """Sends c_0, c_2, ... of a round with their pads; the challenge, and the claim that remains."""
    received = channel.send_padded("sumcheck/round", sent)
    challenge = channel.draw("sumcheck/challenge")
    return challenge, next_claim(claim, received, challenge)


def batched_sumcheck(
    channel: Channel, claims: list[Tracked], factors: list[list[Values]], batching: Extension
) -> tuple[Values, list[Tracked], Constraint]:
    """Point, final evaluations and last check of "sum_x of the product of factors_i(x) = claim_i"."""
    factors = [list(group) for group in factors]
    variables = [len(group[0]).bit_length() - 1 for group in factors]
    scales = [batching**index for index in range(len(claims))]
    count = max(variables, default=0)
    point: Values = []
    claim = Tracked(ZERO)
    for step in range(count + 1):
        for index, size in enumerate(variables):
            if size + step == count:
                claim += scales[index] * claims[index]
        if step == count:
            break
        active = [index for index, size in enumerate(variables) if size + step >= count]
        sums = [ZERO] * max(len(factors[index]) for index in active)
        for index in active:
            for node, value in enumerate(product_round(factors[index])):
                sums[node] += scales[index] * value
        challenge, claim = padded_round(channel, sums, claim)
        point.append(challenge)
        for index in active:
            factors[index] = [fold(factor, challenge) for factor in factors[index]]
    finals = [[factor[0] for factor in group] for group in factors]
    if channel.stubborn and finals:
        others = dot(scales[1:], [prod(values, start=ONE) for values in finals[1:]])
        finals[0][0] = (channel.true(claim) - others) * inverse(scales[0] * prod(finals[0][1:], start=ONE))
    sent = channel.send_padded("sumcheck/finals", [value for group in finals for value in group[:FACTORS]])
    pairs = zip(sent[::FACTORS], sent[1::FACTORS], strict=True)
    rows = [
        Row(scale * prod(group[FACTORS:], start=ONE), (a, b))
        for scale, group, (a, b) in zip(scales, finals, pairs, strict=True)
    ]
    return point, sent, Constraint(rows, claim)


def fraction_tree(
    channel: Channel, numerators: Values, denominators: Values
) -> tuple[Values, Tracked, Tracked, list[Constraint]]:
    """For "sum_i numerators[i] / denominators[i] = 0": point, numerator and denominator left, all checks."""
    layers = [(numerators, denominators)]
    while len(layers[-1][0]) > 2:
        (p0, p1), (q0, q1) = map(halves, layers[-1])
        nodes = list(zip(p0, p1, q0, q1, strict=True))
        layers.append(([a * d + b * c for a, b, c, d in nodes], [c * d for _, _, c, d in nodes]))
    point: Values = []
    checks: list[Constraint] = []
    numerator = denominator = Tracked(ZERO)
    for p, q in reversed(layers):
        quarters = [*halves(p), *halves(q)]
        total, batching = Tracked(ZERO), ZERO
        if point:
            batching = channel.draw("fraction/lambda")
            total = numerator + batching * denominator
            point, total, quarters = _layer(channel, point, batching, total, quarters)
        children = [quarter[0] for quarter in quarters]
        if channel.stubborn:
            _, right, low, high = children
            children[0] = (channel.true(total) - right * low - batching * low * high) * inverse(high)
        p0_, p1_, q0_, q1_ = channel.send_padded("fraction/children", children)
        checks.append(Constraint([Row(ONE, (p0_ + batching * q0_, q1_), (p1_, q0_))], total))
        branch = channel.draw("fraction/mu")
        numerator, denominator = p0_ + branch * (p1_ - p0_), q0_ + branch * (q1_ - q0_)
        point = [branch, *point]
    return point, numerator, denominator, checks


def _layer(
    channel: Channel, z: Values, batching: Extension, claim: Tracked, quarters: list[Values]
) -> tuple[Values, Tracked, list[Values]]:
    """One layer's sumcheck: its point, the claim that remains, and p0, p1, q0, q1 there."""
    point: Values = []
    for position, coordinate in enumerate(z):
        weights = eq(z[position + 1 :])
        p0, p1, q0, q1 = map(halves, quarters)
        at_zero, at_one = (_summand(weights, batching, p0[k], p1[k], q0[k], q1[k]) for k in (0, 1))
        slopes = [[b - a for a, b in zip(*pair, strict=True)] for pair in (p0, p1, q0, q1)]
        c2 = _summand(weights, batching, slopes[0], slopes[1], slopes[2], slopes[3])
        c1_, c2_ = channel.send_padded("fraction/round", [at_one - at_zero - c2, c2])
        r = channel.draw("fraction/challenge")
        claim += (r - coordinate) * c1_ + (r * r - coordinate) * c2_
        point.append(r)
        quarters = [fold(quarter, r) for quarter in quarters]
    return point, claim, quarters


def _summand(
    weights: Values, batching: Extension, p0: Values, p1: Values, q0: Values, q1: Values
) -> Extension:
    """sum_x weights(x) (p0 q1 + p1 q0 + batching q0 q1)(x)."""
    nodes = zip(p0, p1, q0, q1, strict=True)
    return dot(weights, [a * d + b * c + batching * c * d for a, b, c, d in nodes])
