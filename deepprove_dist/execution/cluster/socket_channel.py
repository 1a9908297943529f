"""Messages over sockets between the coordinator and Ray's actors: Ray starts and watches, it carries nothing.

Each actor serves in one call that lasts as long as it lives. Three things end the wait for an answer: the
connection's end, seen at once when a process dies; the failure of that long call, by which Ray tells of a
lost node, whose connection just falls silent; and the time bound, for a process that hangs.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from multiprocessing.connection import wait
from typing import Any, cast

import ray

from deepprove_dist.execution.cluster.channel import Exchange
from deepprove_dist.execution.cluster.connection import Connection, accept, listen

#: Seconds between two looks at what Ray knows of the actors that are waited for.
_LOOK = 0.5


class SocketChannel:
    """Listens on one address of this node; workers connect to it."""

    def __init__(self, node_address: str) -> None:
        self._listener = listen(node_address)
        self._address = (node_address, self._listener.getsockname()[1])
        self._secret = secrets.token_bytes(32)
        self._connections: dict[int, Connection] = {}
        self._serving: dict[int, Any] = {}

    def attach(self, actors: Mapping[int, Any], timeout: float) -> dict[int, str]:
        """Has actors connect."""
        end = time.monotonic() + timeout
        for host, actor in actors.items():
            self._serving[host] = actor.serve.remote(self._address, self._secret, host)
        failures: dict[int, str] = {}
        while missing := set(actors) - set(self._connections) - set(failures):
            if time.monotonic() > end:
                return failures | dict.fromkeys(missing, f"did not connect within {timeout:g} s")
            try:
                host, connection = accept(self._listener, self._secret, _LOOK)
                self._connections[host] = connection
            except OSError:  # nobody yet, or somebody else: a stranger must not end the run
                failures |= self._ended(missing)
        return failures

    def exchange(self, messages: Mapping[int, bytes], timeout: float) -> Exchange:
        """Sends to all, then reads in the order of arrival."""
        end = time.monotonic() + timeout
        exchange = Exchange({}, {})
        try:
            self._send(messages, exchange, end)
            self._gather(set(messages) - set(exchange.failures), exchange, end, timeout)
        except BaseException:
            # Cut short (by control-C, say), an answer would come to the next question.
            for host in set(messages) - set(exchange.answers):
                self.detach(host)
            raise
        return exchange

    def _send(self, messages: Mapping[int, bytes], exchange: Exchange, end: float) -> None:
        for host, message in messages.items():
            if host not in self._connections:
                exchange.failures[host] = "its connection was given up"
                continue
            try:
                self._connections[host].send(message, _until(end))
            except OSError as error:
                exchange.failures[host] = _why(error)

    def _gather(self, hosts: set[int], exchange: Exchange, end: float, timeout: float) -> None:
        waiting = {self._connections[host].fileno(): host for host in hosts}
        while waiting:
            ready = [cast(int, each) for each in wait(list(waiting), min(_LOOK, _until(end)))]
            for each in ready:
                host = waiting.pop(each)
                try:
                    exchange.answers[host] = self._connections[host].receive(_until(end))
                except OSError as error:
                    exchange.failures[host] = _why(error)
            if not ready:
                silent = self._ended(set(waiting.values()))
                if time.monotonic() >= end:
                    silent = dict.fromkeys(waiting.values(), f"no answer within {timeout:g} s") | silent
                exchange.failures.update(silent)
                waiting = {each: host for each, host in waiting.items() if host not in silent}

    def detach(self, host: int) -> None:
        """Closes the connection."""
        self._serving.pop(host, None)
        connection = self._connections.pop(host, None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Closes all connections, at which the actors' long calls end."""
        for host in list(self._connections):
            self.detach(host)
        self._listener.close()

    def _ended(self, hosts: set[int]) -> dict[int, str]:
        """Those of some hosts whose long call has ended, with what Ray says."""
        serving = {self._serving[host]: host for host in hosts}
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
    except Exception as error:  # whatever ended the call is what is to be told
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return "it left"
