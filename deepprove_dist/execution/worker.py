"""A worker: a seat's state, and the methods that calls name."""

from __future__ import annotations

from deepprove_dist.execution.messages import decode_call, encode_answer, encode_error
from deepprove_dist.kernels import Pool


class Worker:
    """The state of one seat; `handle` takes a call as bytes and returns the answer as bytes."""

    def __init__(self, threads: int) -> None:
        self.pool = Pool(threads)

    def handle(self, request: bytes) -> bytes:
        """Runs a call; an error is an answer too."""
        try:
            method, arguments = decode_call(request)
            return encode_answer(getattr(self, f"on_{method}")(**arguments))
        except Exception as error:  # a worker says what went wrong and lives on
            return encode_error(error)
