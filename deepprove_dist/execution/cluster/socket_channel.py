"""Messages over sockets between the coordinator and Ray's actors. Ray starts and watches them.

Each actor serves in one call of Ray that lasts as long as it lives. Three things end the wait for an answer:

- the end of the connection, seen at once when a process dies;
- the failure of that long call, by which Ray reports a lost node, whose connection just becomes silent;
- the time bound, for a process that hangs.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, cast

import ray

from deepprove_dist.execution.network.address import Address
from deepprove_dist.execution.network.connection import Connection, accept, listen

#: Seconds between two questions to Ray about the actors that are waited for.
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Replies:
    """Answers of processes, and why others gave none."""

    answers: dict[int, bytes | bytearray]
    failures: dict[int, str]


class SocketChannel:
    """Requests to processes 0, 1, ..., which connect to one address of this node, and their answers.

    A process that failed once is to be detached.
    """

    def __init__(self, node_address: str) -> None:
        self._listener = listen(node_address)
        self._address = Address(node_address, self._listener.getsockname()[1])
        self._secret = secrets.token_bytes(32)
        self._connections: dict[int, Connection] = {}
        self._serving: dict[int, Any] = {}

    def attach(self, actors: Mapping[int, Any], timeout: float) -> dict[int, str]:
        """Has Ray's actors connect; those that did not within the time, with why."""
        end = time.monotonic() + timeout
        for process, actor in actors.items():
            self._serving[process] = actor.serve.remote(self._address, self._secret, process)
        failures: dict[int, str] = {}
        while missing := set(actors) - set(self._connections) - set(failures):
            if time.monotonic() > end:
                return failures | dict.fromkeys(missing, f"did not connect within {timeout:g} s")
            try:
                process, connection = accept(self._listener, self._secret, _POLL_SECONDS)
                self._connections[process] = connection
            except OSError:  # nobody yet, or an unknown caller, who must not end the run
                failures |= self._ended(missing)
        return failures

    def request(self, messages: Mapping[int, bytes], timeout: float) -> Replies:
        """Sends to all, then reads in the order of arrival; returns within about `timeout` seconds."""
        end = time.monotonic() + timeout
        replies = Replies({}, {})
        try:
            self._send(messages, replies, end)
            self._gather(set(messages) - set(replies.failures), replies, end, timeout)
        except BaseException:
            # After an interrupt (control-C, for example) an answer would come to the next request.
            for process in set(messages) - set(replies.answers):
                self.detach(process)
            raise
        return replies

    def _send(self, messages: Mapping[int, bytes], replies: Replies, end: float) -> None:
        for process, message in messages.items():
            if process not in self._connections:
                replies.failures[process] = "its connection was given up"
                continue
            try:
                self._connections[process].send(message, _until(end))
            except OSError as error:
                replies.failures[process] = _why(error)

    def _gather(self, processes: set[int], replies: Replies, end: float, timeout: float) -> None:
        waiting = {self._connections[process].fileno(): process for process in processes}
        while waiting:
            ready = [cast(int, file) for file in wait(list(waiting), min(_POLL_SECONDS, _until(end)))]
            for file in ready:
                process = waiting.pop(file)
                try:
                    replies.answers[process] = self._connections[process].receive(_until(end))
                except OSError as error:
                    replies.failures[process] = _why(error)
            if not ready:
                silent = self._ended(set(waiting.values()))
                if time.monotonic() >= end:
                    silent = dict.fromkeys(waiting.values(), f"no answer within {timeout:g} s") | silent
                replies.failures.update(silent)
                waiting = {file: process for file, process in waiting.items() if process not in silent}

    def detach(self, process: int) -> None:
        """Closes the connection; an answer that the process may still send is never read."""
        self._serving.pop(process, None)
        connection = self._connections.pop(process, None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Closes all connections, at which the actors' long calls end."""
        for process in list(self._connections):
            self.detach(process)
        self._listener.close()

    def _ended(self, processes: set[int]) -> dict[int, str]:
        """Those of some processes whose long call has ended, with what Ray says."""
        serving = {self._serving[process]: process for process in processes}
        done, _ = ray.wait(list(serving), num_returns=len(serving), timeout=0)
        return {serving[call]: _failure(call) for call in done}


def _until(end: float) -> float:
    # Never 0, which would make a socket non-blocking.
    return max(0.001, end - time.monotonic())


def _why(error: OSError) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else f"the connection broke ({error})"


def _failure(call: Any) -> str:
    try:
        ray.get(call, timeout=1)
    except Exception as error:  # whatever ended the call is the reason
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return "it ended"
