"""Schedules that contradict themselves are refused, and the package loads without heavy imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deepprove_dist.errors import SecurityError
from deepprove_dist.protocol.parameters import Code, Lookups, PointClaims, Schedule
from tests.records import replace

from .shapes import SMALL_MLP, initial_code

INITIAL = initial_code(12, 5, 2, 3, weight_log_group=1, witness_log_group=2, queries=70)
ROUND = Code(log_rows=8, log_columns=4, log_inverse_rate=5, queries=42)


def test_derived_numbers() -> None:
    schedule = Schedule(INITIAL, (ROUND, Code(5, 3, 6, 30)))
    assert (INITIAL.log_length, ROUND.log_length) == (15, 13)
    assert (ROUND.column_rounds, ROUND.rate_log2, schedule.final_log) == (4, -5.0, 5)
    assert schedule.codes == (INITIAL, *schedule.rounds)


@pytest.mark.parametrize("change", [{"log_columns": 0}, {"log_rows": 20}, {"log_inverse_rate": "3"}])
def test_a_round_out_of_range_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(SecurityError):
        replace(ROUND, **change)


def test_rounds_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SecurityError, match="round 0 commits"):
        Schedule(INITIAL, (replace(ROUND, log_columns=3),))
    with pytest.raises(SecurityError, match="round 1 commits"):
        Schedule(INITIAL, (ROUND, ROUND))
    with pytest.raises(SecurityError, match="final_log"):
        Schedule(replace(INITIAL, log_rows=17), ())


def test_a_shape_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(SecurityError, match="fractions"):
        replace(SMALL_MLP, lookups=Lookups(log_leaves=3, fractions=9, width=1))
    with pytest.raises(SecurityError, match="negative"):
        replace(SMALL_MLP, public=PointClaims(-1, 3))
    with pytest.raises(SecurityError, match="negative"):
        replace(SMALL_MLP, sumcheck=replace(SMALL_MLP.sumcheck, coefficients=-1))
    with pytest.raises(SecurityError, match="claim"):
        replace(SMALL_MLP, claims=0)


def test_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, deepprove_dist.protocol.parameters\n"
        "heavy = {'numpy', 'onnx', 'onnxruntime', 'ray', 'msgpack'} & set(sys.modules)\n"
        "print(*sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
