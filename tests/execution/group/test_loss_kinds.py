"""Each reason that the package gives has its kind."""

from __future__ import annotations

import pytest

from deepprove_dist.execution.group.loss_kinds import KINDS, loss_kind

REASONS = {
    "no sign of life for 10 s, in 'gram'": "silent",
    "its message stopped for 10 s, in 'gram'": "silent",
    "no answer within 600 s, in 'gram'": "timeout",
    "out of memory: its process was ended by SIGKILL, and the system has ended processes": "memory",
    "out of memory: Ray ended its process, since node-b was short of it": "memory",
    "it failed in 'add': out of memory": "memory",
    "Ray has lost node-b 10.0.0.3, in 'gram'": "node",
    "its process was ended by SIGKILL, in 'gram'": "process",
    "its process ended with status 1: KeyError": "process",
    "its process on node-b was killed, or crashed": "process",
    "the connection broke (reset by peer), in 'gram'": "process",
    "the process that is connected to Ray has ended": "process",
    "it was given up": "process",
    "its process was lost before, in 'gram'": "process",
    "wrong answer to 'add'": "wrong",
    "another answer to 'add' than before it was replaced": "wrong",
    "worker 1 used other values than were published": "wrong",
    "its bytes are no answer, in 'gram'": "wrong",
    "it failed in 'add': division by zero": "error",
    "an error on node-b: KeyError": "error",
    "the test says so, in 'add'": "other",
}


@pytest.mark.parametrize(("reason", "kind"), REASONS.items())
def test_kinds(reason: str, kind: str) -> None:
    assert loss_kind(reason) == kind


def test_every_kind_has_a_reason() -> None:
    assert set(KINDS) == set(REASONS.values())
