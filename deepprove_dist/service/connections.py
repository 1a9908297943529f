"""Connections of a client to one service. They stay open between requests, and threads share them.

A service may have closed a connection meanwhile. Then the request is sent again on another one: all requests
of this client may be sent twice. Redirections are not followed: the token goes to the service alone.
"""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass


@dataclass(frozen=True)
class HttpAnswer:
    """What a service answers, whatever its status."""

    status: int
    reason: str
    headers: Message
    content: bytes

    @property
    def media(self) -> str:
        """The type of the content."""
        return self.headers.get_content_type()


class Connections:
    """To a service at an address, through the proxy that the environment names for it, if any."""

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        self._idle: list[HTTPConnection] = []
        self._process = os.getpid()
        self._url, self._tls = urlsplit(url), tls
        address = None if proxy_bypass(self._url.netloc) else getproxies().get(self._url.scheme)
        self._proxy = None if address is None else urlsplit(address)

    def __del__(self) -> None:
        for connection in self._idle:
            connection.close()

    def ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> HttpAnswer:
        """The answer to a request; some of it has to come every so many seconds.

        Raises OSError or HTTPException where there is none.
        """
        while True:
            connection = self._take()
            kept = connection.sock is not None
            try:
                answer = self._ask(connection, method, path, body, headers, seconds)
            except ConnectionError:
                connection.close()
                if not kept:
                    raise
            except BaseException:
                connection.close()
                raise
            else:
                if connection.sock is not None:
                    self._idle.append(connection)
                return answer

    def _ask(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        seconds: float,
    ) -> HttpAnswer:
        connection.timeout = seconds
        if connection.sock is not None:
            connection.sock.settimeout(seconds)
        target, more = f"{self._url.path.rstrip('/')}{path}", {}
        if self._proxy is not None and self._url.scheme == "http":
            target, more = f"http://{self._url.netloc}{target}", _credentials(self._proxy)
        connection.request(method, target, body, {**headers, **more})
        with connection.getresponse() as response:
            return HttpAnswer(response.status, response.reason, response.headers, response.read())

    def _take(self) -> HTTPConnection:
        """A connection that is open, or else a new one."""
        if self._process != os.getpid():
            # They are those of the process that was forked.
            self._process, self._idle = os.getpid(), []
        with suppress(IndexError):
            return self._idle.pop()
        via = self._proxy or self._url
        host, secure = via.hostname or "", self._url.scheme == "https"
        if not secure:
            return HTTPConnection(host, via.port)
        connection = HTTPSConnection(host, via.port, context=self._tls)
        if self._proxy is not None:
            connection.set_tunnel(self._url.hostname or "", self._url.port, _credentials(self._proxy))
        return connection


def _credentials(proxy: SplitResult) -> dict[str, str]:
    """What a proxy is told, where its address has a user and a password."""
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


NO_ANSWER = (OSError, HTTPException)
"""What `Connections.ask` raises."""
