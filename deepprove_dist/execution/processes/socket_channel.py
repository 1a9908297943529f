"""Messages over sockets between the coordinator and processes of ranks.

Four things end the wait for a process:

- the end of the connection, seen at once when a process dies;
- the launcher's word that a process has ended, as of a lost node, whose connection just becomes silent;
- ten seconds without a sign of life: the process is frozen, or cut off;
- the time bound of a call, for a process that lives but hangs. One that waits for others is not to blame.

A process is given up as soon as it is lost, so that others do not wait for it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import cast

from deepprove_dist.ahead import in_order
from deepprove_dist.execution.network.address import Address
from deepprove_dist.execution.network.connection import Connection, handshake, listen
from deepprove_dist.execution.network.heartbeat import SIGNS, SILENCE_SECONDS, WAITING
from deepprove_dist.execution.processes.launcher import Launcher
from deepprove_dist.metrics.catalog import HEARTBEAT_AGE
from deepprove_dist.metrics.sink import NO_METRICS, MetricSink

#: Seconds between two questions to the launcher about the processes that are waited for.
_POLL_SECONDS = 0.5
_REPORT_SECONDS = 5.0
#: Bytes to all processes that threads send: one after the other, the last ones would wait.
_LARGE, _MOST_SENDERS = 1 << 20, 16
#: A connection breaks before the launcher knows why.
_REASON_SECONDS = 0.5


@dataclass(frozen=True)
class Replies:
    """Answers of processes, and why others gave none."""

    answers: dict[int, bytes | bytearray] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)


@dataclass
class _Awaited:
    """A process whose answer is to come: when it was last heard, and whether it waits for others."""

    heard: float
    waits: bool = False


class SocketChannel:
    """Requests to processes, which connect to one address of this machine, and their answers.

    `give_up` ends a process that is lost. A process that failed once is to be detached.
    """

    def __init__(
        self, launcher: Launcher, silence: float = SILENCE_SECONDS, metrics: MetricSink = NO_METRICS
    ) -> None:
        self._launcher, self._metrics = launcher, metrics
        self._listener = listen(launcher.address)
        self._silence = silence
        self.address = Address(launcher.address, self._listener.getsockname()[1])
        self.secret = secrets.token_bytes(32)
        self._connections: dict[int, Connection] = {}
        self._reports: dict[int, bytes | bytearray] = {}

    def attach(self, processes: Collection[int], timeout: float) -> Replies:
        """Waits until processes have connected; their reports, and why others did not."""
        end = time.monotonic() + timeout
        replies = Replies()
        while missing := set(processes) - set(replies.failures) - set(self._reports):
            if time.monotonic() > end:
                replies.failures.update(dict.fromkeys(missing, f"did not start within {timeout:g} s"))
                break
            try:
                self._listener.settimeout(_POLL_SECONDS)
                caller, _ = self._listener.accept()
                process, connection = handshake(caller, self.secret, _REPORT_SECONDS)
                self._connections[process] = connection
                # Others than these may come first.
                self._reports[process] = connection.receive(_REPORT_SECONDS)
            except OSError:  # nobody yet, or an unknown caller, who must not end the run
                replies.failures.update(self._ended(missing))
        came = set(processes) - set(replies.failures)
        replies.answers.update({process: self._reports.pop(process) for process in came})
        return replies

    def request(
        self, messages: Mapping[int, Sequence[bytes]], timeout: float, give_up: Callable[[int], None]
    ) -> Replies:
        """Sends to all at once, then reads in the order of arrival; lost processes are given up at once.

        Returns within about `timeout` seconds; within twice as many where some wait for a lost one.
        """
        end = time.monotonic() + timeout
        replies = Replies()
        try:
            for process, error in self._send_all(messages):
                if error is not None:
                    replies.failures[process] = self._why(process, error)
                    give_up(process)
            self._gather(set(messages) - set(replies.failures), replies, end, timeout, give_up)
        except BaseException:
            # After an interrupt (control-C, for example) an answer would come to the next request.
            for process in set(messages) - set(replies.answers):
                self.detach(process)
            raise
        return replies

    def _send_all(self, messages: Mapping[int, Sequence[bytes]]) -> Iterator[tuple[int, OSError | None]]:
        """Sends to all, by a thread each if messages are large; yields each process and why it failed."""

        def send(process: int) -> OSError | None:
            try:
                if process not in self._connections:
                    raise ConnectionError("it was given up")
                self._connections[process].send_pieces(messages[process], self._silence)
            except OSError as error:
                return error
            return None

        size = sum(len(piece) for pieces in messages.values() for piece in pieces)
        threads = min(len(messages), _MOST_SENDERS) if size >= _LARGE else 0
        yield from zip(messages, in_order(send, messages, threads), strict=True)

    def _gather(
        self,
        processes: set[int],
        replies: Replies,
        end: float,
        timeout: float,
        give_up: Callable[[int], None],
    ) -> None:
        awaited = {process: _Awaited(time.monotonic()) for process in processes}
        asked = time.monotonic()
        while awaited:
            by_file = {self._connections[process].fileno(): process for process in awaited}
            ready = [cast(int, file) for file in wait(list(by_file), min(_POLL_SECONDS, _until(end)))]
            lost: dict[int, str] = {}
            for process in map(by_file.__getitem__, ready):
                try:
                    message = self._connections[process].receive(self._silence)
                except OSError as error:
                    lost[process] = self._why(process, error)
                    continue
                if message in SIGNS:
                    awaited[process] = _Awaited(time.monotonic(), message == WAITING)
                else:
                    replies.answers[process] = message
                    del awaited[process]
            if (now := time.monotonic()) >= asked + _POLL_SECONDS:
                asked = now
                self._metrics.record(
                    HEARTBEAT_AGE, now - min((s.heard for s in awaited.values()), default=now)
                )
                lost |= self._lost_silently(awaited)
                if not lost and now >= end:
                    lost = _hanging(awaited, timeout)
                    end = time.monotonic() + timeout
            for process, why in lost.items():
                replies.failures[process] = why
                del awaited[process]
                give_up(process)

    def _lost_silently(self, awaited: Mapping[int, _Awaited]) -> dict[int, str]:
        """Processes that have ended, by the launcher's word, and those that gave no sign of life."""
        latest = time.monotonic() - self._silence
        quiet = {
            self._connections[process].fileno(): process
            for process, state in awaited.items()
            if state.heard < latest
        }
        # Signs may have come while a long answer of another process was read.
        unread = wait(list(quiet), 0) if quiet else []
        silent = {
            process: f"no sign of life for {self._silence:g} s"
            for file, process in quiet.items()
            if file not in unread
        }
        return silent | self._ended(awaited)

    def _ended(self, processes: Collection[int]) -> dict[int, str]:
        """Those of some processes that have ended, by the launcher's word."""
        return {process: why for process, why in self._launcher.ended().items() if process in processes}

    def _why(self, process: int, error: OSError) -> str:
        """Why a process is lost whose connection failed; the launcher may know more."""
        if isinstance(error, TimeoutError):
            return f"its message stopped for {self._silence:g} s"
        end = time.monotonic() + _REASON_SECONDS
        while not (ended := self._ended([process])) and time.monotonic() < end:
            time.sleep(_REASON_SECONDS / 20)
        return ended.get(process, f"the connection broke ({error})")

    def detach(self, process: int) -> None:
        """Closes the connection; an answer that the process may still send is never read."""
        self._reports.pop(process, None)
        connection = self._connections.pop(process, None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Closes all connections, at which processes end."""
        for process in list(self._connections):
            self.detach(process)
        self._listener.close()


def _hanging(awaited: Mapping[int, _Awaited], timeout: float) -> dict[int, str]:
    """Those that hang, after the time of a call: not those that wait for others, unless all do."""
    computing = [process for process, state in awaited.items() if not state.waits]
    return dict.fromkeys(computing or awaited, f"no answer within {timeout:g} s")


def _until(end: float) -> float:
    # Never 0, which would make a socket non-blocking.
    return max(0.001, end - time.monotonic())
