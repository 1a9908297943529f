"""Openings by random schedules: honest proofs are accepted, and proofs with one change are not.

Schedules of one query are below any level of security, so the level is not required here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deepprove_dist.errors import SecurityError
from deepprove_dist.kernels import Pool
from deepprove_dist.protocol.parameters import Code, ProtocolShape, Schedule, Weights
from deepprove_dist.prover import Prover
from deepprove_dist.setup_options import Options
from tests.attacks.fields import changes
from tests.attacks.lying_prover import refused
from tests.attacks.models import (
    check,
    convolutional,
    honest_attempt,
    images,
    initial_code,
    inputs,
    model,
    prove_fast,
)
from tests.examples import few, many

CHANGES = 12


@contextmanager
def insecure(schedule: Schedule) -> Iterator[None]:
    """Keys get the schedule, with as many columns as they need, whatever its level."""

    def choose(weight_values: int, witness_values: int, shape: ProtocolShape, **options: object) -> Schedule:
        log_rows, initial = schedule.initial.log_rows, schedule.initial
        sizes = (0 if options["weights"] == "public" else weight_values, witness_values)
        if options["hiding"]:
            sizes = (sizes[0], witness_values + shape.products.pad_values)
        code = initial_code(
            log_rows,
            initial.log_inverse_rate,
            sizes,
            hiding=bool(options["hiding"]),
            queries=initial.queries,
            groups=(initial.weight_log_group, initial.witness_log_group),
        )
        return Schedule(code, schedule.rounds)

    with (
        patch("deepprove_dist.setup_options.choose", choose),
        patch("deepprove_dist.protocol.key.key.require_security", lambda *_: None),
    ):
        yield


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Rates that rise and fall, from 1/2 to 1/256, and leaves of one row to the whole code."""
    log_rows, log_inverse_rate = draw(st.integers(4, 9)), draw(st.integers(1, 6))
    groups = [draw(st.integers(0, log_rows + log_inverse_rate)) for _ in range(2)]
    queries, sizes = draw(st.integers(1, 60)), (1 << log_rows,) * 2
    initial = initial_code(
        log_rows, log_inverse_rate, sizes, hiding=False, queries=queries, groups=(groups[0], groups[1])
    )
    rounds: list[Code] = []
    while log_rows > 1 and draw(st.integers(0, 3)):
        columns = draw(st.integers(1, min(5, log_rows - 1)))
        log_rows -= columns
        rounds.append(Code(log_rows, columns, draw(st.integers(1, 8)), draw(st.integers(1, 40))))
    return Schedule(initial, tuple(rounds))


def check_schedule(data: st.DataObject, schedule: Schedule, weights: Weights, *, hiding: bool) -> None:
    batch = data.draw(st.sampled_from((1, 3)))
    samples = data.draw(st.integers(1, batch))
    network, sample = data.draw(st.sampled_from(((model, inputs), (convolutional, images))))
    with insecure(schedule):
        try:
            key = Prover.generate(network(), Options(weights, max_batch=batch, hiding=hiding), Pool(1))
        except SecurityError:
            # Random rows do not fit the code.
            assert hiding
            assume(False)
        proof = prove_fast(key, honest_attempt(key, sample(samples)))
        check(key, proof)
        altered = list(changes(proof))
        for _ in range(CHANGES):
            path, change = altered[data.draw(st.integers(0, len(altered) - 1))]
            assert refused(key, change()), path


@few(16)
@given(
    data=st.data(),
    schedule=schedules(),
    weights=st.sampled_from(("committed", "public")),
    hiding=st.booleans(),
)
def test_any_schedule(data: st.DataObject, schedule: Schedule, weights: Weights, hiding: bool) -> None:
    check_schedule(data, schedule, weights, hiding=hiding)


@pytest.mark.slow
@many(1500)
@given(
    data=st.data(),
    schedule=schedules(),
    weights=st.sampled_from(("committed", "public")),
    hiding=st.booleans(),
)
def test_any_of_many_schedules(
    data: st.DataObject, schedule: Schedule, weights: Weights, hiding: bool
) -> None:
    check_schedule(data, schedule, weights, hiding=hiding)
