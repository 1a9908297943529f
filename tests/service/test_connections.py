"""Connections stay open, are replaced where the service has closed them, and go through proxies."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException

import pytest

from deepprove_dist.service.client import Client, ServiceError
from deepprove_dist.service.connections import Connections

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
MOVED = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Answers requests without a body, and closes each connection after so many of them."""

    def __init__(self, most: int = 1000, answer: bytes = ANSWER) -> None:
        self.most, self.answer, self.requests = most, answer, list[list[bytes]]()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self.listener.accept()
                self.requests.append([])
                threading.Thread(target=self._serve, args=(caller, self.requests[-1]), daemon=True).start()

    def _serve(self, caller: socket.socket, requests: list[bytes]) -> None:
        with caller, suppress(OSError):
            while len(requests) < self.most and (request := caller.recv(1 << 16)):
                requests.append(request)
                caller.sendall(self.answer)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.listener.close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def ask(connections: Connections, path: str = "/") -> bytes:
    answer = connections.ask("GET", path, None, {}, 20.0)
    assert (answer.status, answer.media) == (200, "text/plain")
    return answer.content


def test_one_connection_has_many_requests(server: Server) -> None:
    connections = Connections(f"{server.url}/prefix/")
    for number in range(3):
        assert ask(connections, f"/{number}") == b"ok"
    ((first, *others),) = server.requests
    assert first.startswith(b"GET /prefix/0 HTTP/1.1")
    assert len(others) == 2


def test_a_request_is_sent_again_where_the_connection_was_closed() -> None:
    server = Server(most=1)
    connections = Connections(server.url)
    for _ in range(3):
        assert ask(connections) == b"ok"
    assert list(map(len, server.requests)) == [1, 1, 1]


def test_a_new_connection_that_breaks_is_an_error() -> None:
    server = Server(answer=b"")
    server.most = 1
    with pytest.raises((OSError, HTTPException)):
        ask(Connections(server.url))


def test_threads_have_a_connection_each(server: Server) -> None:
    connections, together = Connections(server.url), threading.Barrier(4)

    def work() -> None:
        together.wait()
        for _ in range(20):
            assert ask(connections) == b"ok"

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(map(len, server.requests)) == 80
    assert len(server.requests) <= 4


def test_a_forked_process_has_connections_of_its_own(server: Server) -> None:
    connections = Connections(server.url)
    ask(connections)
    connections._process -= 1
    ask(connections)
    assert list(map(len, server.requests)) == [1, 1]


def test_a_redirection_is_not_followed() -> None:
    server = Server(answer=MOVED)
    with pytest.raises(ServiceError, match="302 Found"):
        Client(server.url, "the token").status()


def test_a_proxy_gets_the_whole_address(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url.replace("//", "//user:pass%20word@"))
    assert ask(Connections("http://service.example:8450"), "/v1/status") == b"ok"
    ((request,),) = server.requests
    lines = request.decode().splitlines()
    assert lines[0] == "GET http://service.example:8450/v1/status HTTP/1.1"
    assert "Host: service.example:8450" in lines
    assert "Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=" in lines


def test_a_service_over_tls_is_asked_for_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(answer=b"HTTP/1.1 403 Forbidden\r\n\r\n")
    monkeypatch.setenv("https_proxy", server.url)
    with pytest.raises(OSError, match="403"):
        ask(Connections("https://service.example"))
    ((request,),) = server.requests
    assert request.startswith(b"CONNECT service.example:443 ")


def test_hosts_that_need_no_proxy_are_asked_themselves(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert ask(Connections(server.url)) == b"ok"
