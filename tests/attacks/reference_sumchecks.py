"""Batched sumcheck and fraction tree in plain Python, over a channel to the verifier.

Whoever uses them may lie in what the channel sends; they go on from what was sent. A stubborn prover's last
message of each step is chosen to pass the verifier's check of that step.
"""

from __future__ import annotations

from math import prod

from deepprove_dist.kernels import Extension
from tests.attacks.arithmetic import ONE, ZERO, Values, dot, eq, fold, halves, inverse
from tests.attacks.channel import Channel


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


def reduce_round(channel: Channel, sent: Values, claim: Extension) -> tuple[Values, Extension, Extension]:
    """Sends c_0, c_2, ... of a round; returns them, the challenge and the claim that remains."""
    sent = channel.send("sumcheck/round", sent)
    challenge = channel.draw("sumcheck/challenge")
    c0, *higher = sent
    value, power = c0 + challenge * (claim - 2 * c0 - sum(higher, ZERO)), challenge
    for coefficient in higher:
        power *= challenge
        value += coefficient * power
    return sent, challenge, value


def batched_sumcheck(
    channel: Channel, claims: Values, factors: list[list[Values]], batching: Extension
) -> tuple[Values, Values, Values]:
    """Rounds, final evaluations and point of claims "sum_x of the product of factors_i(x) = claim_i"."""
    factors = [list(group) for group in factors]
    variables = [len(group[0]).bit_length() - 1 for group in factors]
    scales = [batching**index for index in range(len(claims))]
    count = max(variables)
    rounds: Values = []
    point: Values = []
    claim = ZERO
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
        sent, challenge, claim = reduce_round(channel, sums, claim)
        rounds += sent
        point.append(challenge)
        for index in active:
            factors[index] = [fold(factor, challenge) for factor in factors[index]]
    finals = [[factor[0] for factor in group] for group in factors]
    if channel.stubborn:
        others = dot(scales[1:], [prod(values, start=ONE) for values in finals[1:]])
        finals[0][0] = (claim - others) * inverse(scales[0] * prod(finals[0][1:], start=ONE))
    return rounds, channel.send("sumcheck/finals", [value for values in finals for value in values]), point


def fraction_tree(
    channel: Channel, numerators: Values, denominators: Values
) -> tuple[Values, Values, Extension, Extension]:
    """What is sent for "sum_i numerators[i] / denominators[i] = 0"; point, numerator and denominator left."""
    layers = [(numerators, denominators)]
    while len(layers[-1][0]) > 2:
        (p0, p1), (q0, q1) = map(halves, layers[-1])
        nodes = list(zip(p0, p1, q0, q1, strict=True))
        layers.append(([a * d + b * c for a, b, c, d in nodes], [c * d for _, _, c, d in nodes]))
    values: Values = []
    point: Values = []
    numerator = denominator = ZERO
    for p, q in reversed(layers):
        quarters = [*halves(p), *halves(q)]
        total, batching, rounds = ZERO, ZERO, list[Extension]()
        if point:
            batching = channel.draw("fraction/lambda")
            total = numerator + batching * denominator
            rounds, point, total, quarters = _layer(channel, point, batching, total, quarters)
        children = [quarter[0] for quarter in quarters]
        if channel.stubborn:
            _, right, low, high = children
            children[0] = (total - right * low - batching * low * high) * inverse(high)
        children = channel.send("fraction/children", children)
        values += [*rounds, *children]
        branch = channel.draw("fraction/mu")
        numerator, denominator = (fold(pair, branch)[0] for pair in halves(children))
        point = [branch, *point]
    return values, point, numerator, denominator


def _layer(
    channel: Channel, z: Values, batching: Extension, claim: Extension, quarters: list[Values]
) -> tuple[Values, Values, Extension, list[Values]]:
    """One layer's sumcheck: its rounds, its point, the claim that remains, and p0, p1, q0, q1 there."""
    values: Values = []
    point: Values = []
    for position, coordinate in enumerate(z):
        weights = eq(z[position + 1 :])
        p0, p1, q0, q1 = map(halves, quarters)
        at_zero, at_one = (_summand(weights, batching, p0[k], p1[k], q0[k], q1[k]) for k in (0, 1))
        slopes = [[b - a for a, b in zip(*pair, strict=True)] for pair in (p0, p1, q0, q1)]
        c2 = _summand(weights, batching, slopes[0], slopes[1], slopes[2], slopes[3])
        c1, c2 = channel.send("fraction/round", [at_one - at_zero - c2, c2])
        challenge = channel.draw("fraction/challenge")
        claim += (c1 + c2 * challenge) * challenge - coordinate * (c1 + c2)
        values += [c1, c2]
        point.append(challenge)
        quarters = [fold(quarter, challenge) for quarter in quarters]
    return values, point, claim, quarters


def _summand(
    weights: Values, batching: Extension, p0: Values, p1: Values, q0: Values, q1: Values
) -> Extension:
    """sum_x weights(x) (p0 q1 + p1 q0 + batching q0 q1)(x)."""
    nodes = zip(p0, p1, q0, q1, strict=True)
    return dot(weights, [a * d + b * c + batching * c * d for a, b, c, d in nodes])
