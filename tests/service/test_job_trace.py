from __future__ import annotations

import pytest

from deepprove_dist.service.job_trace import JobStopped, JobTrace, StopReason
from deepprove_dist.timing import recording, timed
from deepprove_dist.timing.spans import Trace


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_of_an_inner_phase_does_not_count_for_those_around_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, trace = Clock(), JobTrace()
    monkeypatch.setattr(Trace, "now", lambda self: clock.now)
    with recording(trace), timed("proof", "whole"):
        clock.now = 1.0
        with timed("opening", "proving"):
            clock.now = 3.0
            assert trace.running == "opening"
            with trace.phase("a phase by workers"):
                clock.now = 4.0
        with timed("relations", "verifying"), timed("verification", "whole"):
            clock.now = 9.0
        clock.now = 10.0
        assert trace.running == "proof"
    assert trace.seconds == {"proof": 2.0, "opening": 3.0, "self-check": 5.0}
    assert trace.running is None


def test_a_proof_is_stopped_where_its_next_phase_begins() -> None:
    trace = JobTrace()

    @timed("proof", "whole")
    def prove() -> None:
        trace.stop = StopReason.CANCELLED
        with timed("opening", "proving"):
            pytest.fail("it was to be stopped")

    with recording(trace), pytest.raises(JobStopped) as stopped:
        prove()
    assert stopped.value.reason is StopReason.CANCELLED
    assert trace.running is None


def test_a_stop_is_no_error_of_the_work() -> None:
    assert not issubclass(JobStopped, Exception)
