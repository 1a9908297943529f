"""The service in one process: HTTP by uvicorn, and a runner in a thread. No Ray is needed.

SIGTERM and SIGINT drain it. New submissions are refused, the proof in progress is finished, and results can
be fetched meanwhile. A second signal ends it at once; what was running goes on after the next start.
"""

from __future__ import annotations

import fcntl
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from deepprove_dist.errors import ExecutionError
from deepprove_dist.memory import keep_free_memory
from deepprove_dist.metrics.prometheus import PrometheusMetrics
from deepprove_dist.service.application import create_application
from deepprove_dist.service.events import JobEvent, Observer, log_event
from deepprove_dist.service.hand_over import HandOver
from deepprove_dist.service.metrics import counting
from deepprove_dist.service.settings import LOCK, ServiceParts, ServiceSettings
from deepprove_dist.service.waiting import Waiters

logger = logging.getLogger(__name__)

_KEEP_ALIVE_SECONDS = 30
_CLOSE_SECONDS = 5
_MOST_CONNECTIONS = 1000


@dataclass(frozen=True)
class Listening:
    """Attributes:
    host, port: to listen at; port 0 is any free one.
    certificate, private_key: files for TLS; None for plain HTTP.
    """

    host: str = "127.0.0.1"
    port: int = 8450
    certificate: Path | None = None
    private_key: Path | None = None


def serve_locally(
    settings: ServiceSettings,
    listening: Listening,
    started: Callable[[str], None] = lambda url: None,
    observe: Observer = log_event,
) -> None:
    """Serves until a signal ends it; `started` is called with the address once it listens.

    Raises ExecutionError where another service has the state folder or the port, and as the parts of the
    service do.
    """
    keep_free_memory()
    with _alone(settings.state / LOCK), _bound(listening) as port:
        parts = ServiceParts.open(settings)
        returned, failed = parts.store.leases.recover(alone=settings.private_store)
        if returned or failed:
            logger.info("%d jobs of the last run go on, %d ended with it", len(returned), len(failed))
        metrics = PrometheusMetrics()
        observe = counting(metrics, observe)
        waiters = Waiters()

        def observe_runner(event: JobEvent) -> None:
            waiters.observe(event)
            observe(event)

        hand_over = HandOver()
        runner = parts.runner(observe_runner, metrics, hand_over=hand_over, finished=waiters.hand_over)
        jobs = parts.jobs(runner.wake, observe, waiters, hand_over)
        server = DrainingServer(
            uvicorn.Config(
                create_application(jobs, parts.clients, metrics),
                ssl_certfile=listening.certificate,
                ssl_keyfile=listening.private_key,
                log_config=None,
                access_log=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_CLOSE_SECONDS,
                limit_concurrency=_MOST_CONNECTIONS,
                server_header=False,
            ),
            started,
        )

        def begin_drain() -> None:
            jobs.draining = True
            runner.begin_drain()

        server.begin_drain = begin_drain
        server.finish_drain = lambda: runner.drain(settings.drain_seconds)
        runner.start()
        try:
            server.run([port])
        finally:
            begin_drain()
            runner.drain(0.0)
            parts.store.close()


class DrainingServer(uvicorn.Server):
    """Answers for as long as it drains. `begin_drain` must return at once, `finish_drain` may take long."""

    def __init__(self, config: uvicorn.Config, started: Callable[[str], None]) -> None:
        super().__init__(config)
        self._tell = started
        self.begin_drain: Callable[[], object] = lambda: None
        self.finish_drain: Callable[[], object] = lambda: None
        self._draining: threading.Thread | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, the second ends."""
        if self._draining is not None:
            self.should_exit = self.force_exit = True
            return
        logger.info("%s: finishing the proof in progress", signal.Signals(sig).name)
        self.begin_drain()
        self._draining = threading.Thread(target=self._drain, name="draining", daemon=True)
        self._draining.start()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Says where it listens, once it does."""
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            scheme = "https" if self.config.is_ssl else "http"
            self._tell(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}")

    def _drain(self) -> None:
        self.finish_drain()
        self.should_exit = True


def _bound(listening: Listening) -> socket.socket:
    """A socket at the address; uvicorn would end the process where it is taken."""
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    try:
        return socket.create_server((listening.host, listening.port), family=family)
    except OSError as error:
        reason = error.strerror or error
        raise ExecutionError(f"cannot listen at {listening.host}, port {listening.port}: {reason}") from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds a lock for as long as this service runs; it goes with the process, however that ends."""
    with path.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ExecutionError(f"another service has the folder {path.parent}; give --state") from None
        yield
