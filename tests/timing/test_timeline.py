"""What a timeline shows: loading apart, a panel for each proof, waiting, and shares of phases."""

from __future__ import annotations

import pytest

from deepprove_dist.timing import Span, Trace
from deepprove_dist.timing.timeline import MOST_PROOFS, draw_timeline, legend_lines, panels, waiting


def recorded(proofs: int) -> Trace:
    """Loading from 1 to 4; proofs of 2 s, with a round of both ranks from 0.5 to 1.5 and one of rank 0."""
    trace = Trace()
    trace.add(Span("load", "phase", 1.0, 4.0, "load"))
    trace.add(Span("load", "work", 1.0, 3.0, "load", rank=0))
    for number in range(proofs):
        start = 10.0 * (number + 1)
        trace.add(Span("first", "round", start + 0.5, start + 1.5, "lookups"))
        trace.add(Span("first", "work", start + 0.5, start + 1.5, "lookups", rank=0))
        trace.add(Span("first", "work", start + 0.5, start + 0.75, "lookups", rank=1))
        trace.add(Span("second", "round", start + 1.5, start + 2.0, "lookups"))
        trace.add(Span("second", "work", start + 1.5, start + 2.0, "lookups", rank=0))
        trace.add(Span("lookups", "phase", start + 0.5, start + 2.0, "lookups"))
        trace.add(Span("proof", "call", start, start + 2.0, "whole"))
    trace.end = 100.0
    return trace


def test_loading_is_apart_and_each_proof_has_a_panel() -> None:
    shown = panels(recorded(2))
    assert [panel.title for panel in shown] == [
        "Loading: 3.00 s",
        "Proof 1 (of 2): 2.00 s",
        "Proof 2 (of 2): 2.00 s",
    ]
    # The same proof at another time looks the same.
    assert shown[1].trace.spans == shown[2].trace.spans
    assert shown[1].trace.end == 2.0


def test_of_many_proofs_the_first_are_shown() -> None:
    assert len(panels(recorded(60))) == 1 + MOST_PROOFS


def test_a_trace_without_proofs_is_one_panel() -> None:
    trace = Trace()
    trace.end = 3.0
    assert [panel.title for panel in panels(trace)] == ["All: 3.00 s"]


def test_a_rank_waits_for_the_end_of_rounds_also_of_those_without_it() -> None:
    proof = panels(recorded(1))[1].trace
    assert waiting(proof, 0) == []
    assert waiting(proof, 1) == [(0.75, 0.75), (1.5, 0.5)]


def test_the_legend_has_shares_of_the_panel() -> None:
    lines = legend_lines(panels(recorded(1))[1].trace)
    assert list(lines.values()) == ["outside phases, 25 %", "lookups, 75 %"]


@pytest.mark.parametrize("proofs", [0, 2])
def test_it_is_a_picture(proofs: int) -> None:
    pytest.importorskip("matplotlib")
    assert draw_timeline(recorded(proofs), 2).startswith(b"\x89PNG")
