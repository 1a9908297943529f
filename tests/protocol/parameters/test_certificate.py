"""The schedule of a certificate: the key's sizes, no more queries than the budget sets rows aside for."""

from __future__ import annotations

import pytest

from deepprove_dist.errors import SecurityError
from deepprove_dist.protocol.parameters import (
    Schedule,
    certificate_schedule,
    certificate_shape,
    choose,
    require_certificate,
    require_security,
)
from tests.records import replace

from .shapes import DENSE_4M

SHAPE = certificate_shape(12, 21)
KEY = choose(1 << 21, 1 << 17, DENSE_4M, hiding=True, proofs=16)
SCHEDULE = certificate_schedule(KEY, SHAPE)


def test_the_schedule_has_the_sizes_of_the_key_and_a_matrix_more() -> None:
    require_certificate(KEY, SCHEDULE, SHAPE)
    require_security(SCHEDULE, SHAPE)
    initial, own = KEY.initial, SCHEDULE.initial
    assert [code.matrix for code in own.matrices] == ["anchor", "weights", "witness"]
    assert own.queries <= initial.queries
    assert own.rows_of_proof <= initial.rows_of_proof
    assert own.witness_columns > own.column_rounds
    assert (own.log_rows, own.log_length) == (initial.log_rows, initial.log_length)
    assert len(KEY.rounds) > 0


def without_rounds() -> Schedule:
    return replace(SCHEDULE, rounds=SCHEDULE.rounds[:-1])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (without_rounds(), "rounds, where the key has"),
        (replace(SCHEDULE, initial=KEY.initial), "other sizes"),
        (replace(SCHEDULE, initial=replace(SCHEDULE.initial, queries=KEY.initial.queries + 1)), "aside"),
        (replace(SCHEDULE, initial=replace(SCHEDULE.initial, queries=1)), "other sizes|required"),
    ],
)
def test_other_schedules_are_refused(changed: Schedule, message: str) -> None:
    with pytest.raises(SecurityError, match=message):
        require_certificate(KEY, changed, SHAPE)
