"""A process with several ranks."""

from __future__ import annotations

import pytest

from deepprove_dist.execution.messages import decode_answer, encode_call
from deepprove_dist.execution.worker_process import WorkerProcess, pack_message, unpack_message
from tests.execution.dummy import Dummy


def test_seats_of_a_host_have_states_of_their_own() -> None:
    host = WorkerProcess(2, Dummy)

    def add(**numbers: int) -> dict[int, int]:
        calls = {int(rank[1:]): encode_call("add", {"number": number}) for rank, number in numbers.items()}
        answers = unpack_message(host.handle(pack_message(calls)))
        return {rank: decode_answer(answer) for rank, answer in answers.items()}

    assert add(s0=1, s5=10) == {0: 1, 5: 10}
    assert add(s5=1) == {5: 11}
    assert add(s0=1) == {0: 2}


@pytest.mark.parametrize("message", [b"", b"\x01", b"\x81\x00\x01", b"\x81\xa1a\xc4\x00", b"\x80\x80"])
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match="no message"):
        unpack_message(message)
