"""A process with several ranks."""

from __future__ import annotations

import pytest

from deepprove_dist.execution.calls.messages import encode
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.calls.requests import Run, method_call, read_answer
from deepprove_dist.execution.workers.worker_process import WorkerProcess, pack_message, unpack_message
from tests.execution.dummy import Dummy, dummy


def test_ranks_of_a_process_have_separate_states() -> None:
    process = WorkerProcess(2, dummy)

    def add(**numbers: int) -> dict[int, int]:
        calls = {int(rank[1:]): Call.to(Dummy.add, number=number) for rank, number in numbers.items()}
        requests = {rank: encode(Run((method_call(call),))) for rank, call in calls.items()}
        answers = unpack_message(process.handle(b"".join(pack_message(requests))))
        return {rank: calls[rank].read(read_answer(answers[rank]).outcome.require()) for rank in answers}

    assert add(s0=1, s5=10) == {0: 1, 5: 10}
    assert add(s5=1) == {5: 11}
    assert add(s0=1) == {0: 2}


@pytest.mark.parametrize("ranks", [0, 1, 300])
def test_parts_of_a_message(ranks: int) -> None:
    parts = {7 * rank: bytes(rank) for rank in range(ranks)}
    assert unpack_message(b"".join(pack_message(parts))) == parts


def test_a_long_part_is_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepprove_dist.execution.workers.worker_process._LONGEST", 3)
    with pytest.raises(OverflowError, match="parts of up to 3 bytes"):
        pack_message({0: bytes(4)})


@pytest.mark.parametrize("message", [b"", b"\x01", b"\x81\x00\x01", b"\x81\xa1a\xc4\x00", b"\x80\x80"])
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match="no message"):
        unpack_message(message)
